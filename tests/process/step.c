#include "tests/process/step.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A bare system call: the C library's raise() would add its own instructions to the act. */
static void marker(pid_t self)
{
    syscall(SYS_kill, self, SIGSTOP);
}

static void child_run(void (*prepare)(void), void (*act)(void))
{
    pid_t self = getpid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(126);
    if (prepare)
        prepare();
    marker(self);
    act();
    marker(self);
    _exit(0);
}

/* Wait until it stands; returns the signal that stopped it. */
static int stepper_wait(struct stepper *stepper)
{
    int status;
    pid_t stopped;
    do
        stopped = waitpid(stepper->pid, &status, 0);
    while (stopped < 0 && errno == EINTR);
    cr_assert(stopped == stepper->pid && WIFSTOPPED(status), "the stepped child ended: %x", (unsigned)status);
    int signal = WSTOPSIG(status);
    cr_assert(signal == SIGTRAP || signal == SIGSTOP, "the stepped child got: %s", strsignal(signal));
    stepper->over = signal == SIGSTOP;
    return signal;
}

static void stepper_resume(struct stepper *stepper, enum __ptrace_request request)
{
    cr_assert(ptrace(request, stepper->pid, NULL, NULL) == 0, "ptrace: %s", strerror(errno));
    stepper_wait(stepper);
}

void stepper_start(struct stepper *stepper, void (*prepare)(void), void (*act)(void))
{
    stepper->pid = fork();
    cr_assert(stepper->pid >= 0, "fork: %s", strerror(errno));
    if (stepper->pid == 0)
        child_run(prepare, act);
    stepper_wait(stepper);
    cr_assert(stepper->over, "it has not come to its first marker");
    stepper->over = false;
}

void stepper_seize(struct stepper *stepper, pid_t child)
{
    stepper->pid = child;
    cr_assert(ptrace(PTRACE_ATTACH, child, NULL, NULL) == 0, "ptrace: %s", strerror(errno));
    stepper_wait(stepper);
    stepper->over = false;
}

bool stepper_step(struct stepper *stepper)
{
    if (!stepper->over)
        stepper_resume(stepper, PTRACE_SINGLESTEP);
    return !stepper->over;
}

bool stepper_to_system_call(struct stepper *stepper)
{
    if (!stepper->over)
        stepper_resume(stepper, PTRACE_SYSCALL);
    return !stepper->over;
}

void stepper_finish(struct stepper *stepper)
{
    if (!stepper->over)
        stepper_resume(stepper, PTRACE_CONT);
    cr_assert(stepper->over, "it was stopped before the end of its act");
}

void stepper_kill(struct stepper *stepper)
{
    int status;
    pid_t ended;
    kill(stepper->pid, SIGKILL);
    do
        ended = waitpid(stepper->pid, &status, 0);
    while ((ended < 0 && errno == EINTR) || (ended == stepper->pid && WIFSTOPPED(status)));
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it ended otherwise: %x", (unsigned)status);
}
