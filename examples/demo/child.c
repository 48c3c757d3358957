#include "child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void signals_default(void)
{
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
}

pid_t child_fork(int signal)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return child;
    setpgid(0, 0);
    signals_default();
    prctl(PR_SET_PDEATHSIG, signal);
    if (getppid() != parent) /* it died before the line above */
        _exit(1);
    return 0;
}

void child_end(pid_t *child, int signal)
{
    if (*child <= 0)
        return;
    kill(*child, signal);
    while (waitpid(*child, NULL, 0) < 0 && errno == EINTR)
        ;
    *child = 0;
}
