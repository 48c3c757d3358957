/* Run a command for the reader's eyes. */
#ifndef DEMO_COMMAND_H
#define DEMO_COMMAND_H

/* Run `cbctl WORD` and print its output, indented. Its exit status, or -errno. */
int cbctl_show(const char *word);

#endif
