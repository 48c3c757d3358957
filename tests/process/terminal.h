/* A terminal of its own for a test: tmux with an interactive bash in it, whose screen can be read and resized, and into
 * which keys are typed. One a test; uses Criterion's assertions. */
#ifndef TESTS_TERMINAL_H
#define TESTS_TERMINAL_H

/* `dir`: a folder of the test's for tmux's socket. The shell has this process's environment. Ended by
 * terminal_close(), or with the test. */
void terminal_open(const char *dir, unsigned columns, unsigned lines);
void terminal_close(void);

void terminal_resize(unsigned columns, unsigned lines);

/* Press keys as `tmux send-keys` names them (NULL at the end): "Enter", "C-c", "Down", or text. */
void terminal_press(const char *key, ...) __attribute__((sentinel));
/* Type a line into the shell. */
void terminal_type(const char *line);

/* Wait until the screen has `text` (or has not), else fail with what it shows. */
void terminal_expect(const char *text);
void terminal_expect_not(const char *text);

/* What the screen shows now; `escapes`: with its colours. To be freed. */
char *terminal_read(int escapes);

#endif
