/* A command as a child process: started, watched, stopped in time. */
#ifndef TOOLS_CHILD_H
#define TOOLS_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#define CHILD_GRACE_MS 5000 /* between SIGTERM and SIGKILL */

struct child_end {
    int error;      /* an errno: it could not be started; then nothing else here means anything */
    int status;     /* as waitpid() gives it */
    bool timed_out; /* it ran longer than it may and was told to end */
};

/*
 * Run `argv` to its end. After `timeout_ms` (0: never) it gets SIGTERM, and SIGKILL if it is still there
 * CHILD_GRACE_MS later. SIGINT, SIGTERM, SIGHUP and SIGQUIT that reach this process are passed on; they stay blocked
 * here when this returns, so that the outcome can be recorded whatever comes.
 */
void child_run(char *const argv[], uint64_t timeout_ms, struct child_end *end);

#endif
