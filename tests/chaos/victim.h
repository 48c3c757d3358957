/* Signals to one process that was started here: a number that is none would mean others, too. */
#ifndef CHAOS_VICTIM_H
#define CHAOS_VICTIM_H

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

static inline void victim_signal(pid_t pid, int number)
{
    if (pid > 0)
        kill(pid, number);
}

/* Kill it and wait for its end. */
static inline void victim_kill(pid_t pid)
{
    if (pid > 0 && kill(pid, SIGKILL) == 0)
        waitpid(pid, NULL, 0);
}

#endif
