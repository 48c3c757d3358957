#include "child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct child {
    pid_t pid;
    bool group;        /* it leads a process group of its own */
    uint64_t deadline; /* when it is told to end, UINT64_MAX: never */
    bool told;         /* it has been */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * Without a terminal (cron, scripts) the child gets a process group, so that a time-out ends all of it and not just a
 * shell in front. On a terminal it stays in ours: it may read, and Ctrl-C and Ctrl-Z reach it by themselves.
 */
static int child_spawn(struct child *child, char *const argv[], const sigset_t *mask)
{
    posix_spawnattr_t attributes;
    short flags = POSIX_SPAWN_SETSIGMASK;
    int error = posix_spawnattr_init(&attributes);
    if (error)
        return error;
    child->group = !isatty(STDIN_FILENO);
    if (child->group)
        flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setflags(&attributes, flags);
    error = posix_spawnp(&child->pid, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static void child_signal(const struct child *child, int signal_number)
{
    kill(child->group ? -child->pid : child->pid, signal_number);
}

/* The next of `watched`, or -1 when the deadline is there. */
static int signal_wait(const sigset_t *watched, uint64_t deadline, siginfo_t *info)
{
    if (deadline == UINT64_MAX)
        return sigwaitinfo(watched, info);
    uint64_t now = now_ms(), left = deadline > now ? deadline - now : 0;
    struct timespec limit = {.tv_sec = (time_t)(left / 1000), .tv_nsec = (long)(left % 1000) * 1000000};
    return sigtimedwait(watched, info, &limit);
}

static void child_overran(struct child *child)
{
    child_signal(child, child->told ? SIGKILL : SIGTERM);
    child->deadline = child->told ? UINT64_MAX : now_ms() + CHILD_GRACE_MS;
    child->told = true;
}

static void child_watch(struct child *child, const sigset_t *watched, struct child_end *end)
{
    siginfo_t info;
    while (waitpid(child->pid, &end->status, WNOHANG) == 0) {
        int signal_number = signal_wait(watched, child->deadline, &info);
        if (signal_number < 0 && errno == EAGAIN)
            child_overran(child);
        else if (signal_number > 0 && signal_number != SIGCHLD && (child->group || info.si_code != SI_KERNEL))
            child_signal(child, signal_number); /* SI_KERNEL: from the terminal, which told the child as well */
    }
    end->timed_out = child->told;
}

void child_run(char *const argv[], uint64_t timeout_ms, struct child_end *end)
{
    static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t watched, before;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        sigaddset(&watched, passed_on[i]);
    signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would take the child's status away */
    sigprocmask(SIG_BLOCK, &watched, &before);

    struct child child = {.deadline = timeout_ms ? now_ms() + timeout_ms : UINT64_MAX};
    *end = (struct child_end){.error = child_spawn(&child, argv, &before)};
    if (!end->error)
        child_watch(&child, &watched, end);
}
