/* Child processes that never outlive the demo. */
#ifndef DEMO_CHILD_H
#define DEMO_CHILD_H

#include <sys/types.h>

/* fork(); the child has the default signal handling, a process group of its own (so that Ctrl-C reaches the parent
 * alone, which then tidies up in order), and gets `signal` when its parent is gone. */
pid_t child_fork(int signal);

/* Send `signal`, wait for the end and forget it. Harmless on 0. */
void child_end(pid_t *child, int signal);

#endif
