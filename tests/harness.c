#include "tests/harness.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- children ---- */

/* Fork a child that dies with the test, so that a failing test leaves no process. */
static pid_t fork_leashed(void)
{
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = fork();
    cr_assert(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127); /* it had died before the leash was on */
    }
    return pid;
}

pid_t fork_child(void (*fn)(void *), void *arg)
{
    pid_t pid = fork_leashed();
    if (pid == 0) {
        fn(arg);
        fflush(NULL);
        _exit(0);
    }
    return pid;
}

int child_wait(pid_t pid)
{
    int status;
    pid_t ended;
    do
        ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    cr_assert(ended == pid, "waitpid: %s", strerror(errno));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- commands ---- */

struct stream {
    int fd;
    FILE *file;
};

static void exec_captured(char **argv, int out, int err)
{
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execvp(argv[0], argv);
    dprintf(err, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Move what there is from the pipe to the text; closes it at its end. */
static void stream_drain(struct stream *stream)
{
    char buffer[4096];
    ssize_t length = read(stream->fd, buffer, sizeof buffer);
    if (length > 0) {
        fwrite(buffer, 1, (size_t)length, stream->file);
        return;
    }
    close(stream->fd);
    stream->fd = -1;
}

static void streams_collect(struct stream streams[2], pid_t pid)
{
    long deadline = now_ms() + 6 * HARNESS_DEADLINE_MS;
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        struct pollfd polled[2] = {{streams[0].fd, POLLIN, 0}, {streams[1].fd, POLLIN, 0}};
        long left = deadline - now_ms();
        if (left <= 0 || poll(polled, 2, (int)left) == 0) {
            kill(pid, SIGKILL);
            child_wait(pid);
            cr_assert_fail("a command did not end in time");
        }
        for (int i = 0; i < 2; i++)
            if (polled[i].revents)
                stream_drain(&streams[i]);
    }
}

static void run_arguments(struct output *output, char **argv)
{
    int out[2], err[2];
    size_t size;
    cr_assert(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
    pid_t pid = fork_leashed();
    if (pid == 0)
        exec_captured(argv, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    struct stream streams[2] = {{out[0], open_memstream(&output->out, &size)},
                                {err[0], open_memstream(&output->err, &size)}};
    streams_collect(streams, pid);
    fclose(streams[0].file);
    fclose(streams[1].file);
    output->status = child_wait(pid);
}

void run(struct output *output, const char *file, ...)
{
    char *argv[HARNESS_ARGUMENTS] = {(char *)(uintptr_t)file};
    size_t count = 1;
    va_list list;
    va_start(list, file);
    for (char *next; (next = va_arg(list, char *)) != NULL;) {
        cr_assert(count < HARNESS_ARGUMENTS - 1, "too many arguments");
        argv[count++] = next;
    }
    va_end(list);
    run_arguments(output, argv);
}

void output_free(struct output *output)
{
    free(output->out);
    free(output->err);
    *output = (struct output){0};
}

/* ---- the daemon ---- */

/* Calls `fn` with the path of the registry's panel, then of its live object; how often it returned 0. */
static int registry_objects(const char *registry, int (*fn)(const char *path))
{
    static const char *const parts[] = {"panel", "live"};
    char path[128];
    int done = 0;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/dev/shm/registryd.%.63s.%s", registry, parts[i]);
        done += fn(path) == 0;
    }
    return done;
}

static int object_look(const char *path)
{
    return access(path, F_OK);
}

int registry_exists(const char *registry)
{
    return registry_objects(registry, object_look) > 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

/* What a test that fails would leave: removed when its process ends. Its daemons die with it. */
static struct remains {
    char registry[64], dir[108];
} remains[16];
static size_t remains_count;
static pid_t remains_owner;

static void remains_sweep(void)
{
    for (size_t i = 0; getpid() == remains_owner && i < remains_count; i++) {
        registry_objects(remains[i].registry, unlink);
        nftw(remains[i].dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    }
}

static void remains_note(const struct daemon *daemon)
{
    if (remains_count == 0)
        atexit(remains_sweep);
    remains_owner = getpid();
    if (remains_count < sizeof remains / sizeof *remains) {
        memcpy(remains[remains_count].registry, daemon->registry, sizeof daemon->registry);
        memcpy(remains[remains_count++].dir, daemon->dir, sizeof daemon->dir);
    }
}

/* The socket that the daemon tells its readiness to. */
static int notify_open(const struct daemon *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/notify", daemon->dir);
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "notify: %s", strerror(errno));
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return fd;
}

static void notify_wait(int fd, struct daemon *daemon)
{
    int pidfd = (int)syscall(SYS_pidfd_open, daemon->pid, 0);
    long deadline = now_ms() + HARNESS_DEADLINE_MS;
    cr_assert(pidfd >= 0, "pidfd_open: %s", strerror(errno));
    for (;;) {
        struct pollfd polled[2] = {{fd, POLLIN, 0}, {pidfd, POLLIN, 0}};
        long left = deadline - now_ms();
        cr_assert(left > 0 && poll(polled, 2, (int)left) > 0, "registryd is not ready in time");
        if (polled[0].revents) {
            ssize_t length = recv(fd, daemon->ready, sizeof daemon->ready - 1, 0);
            daemon->ready[length > 0 ? length : 0] = '\0';
            if (strstr(daemon->ready, "READY=1"))
                break;
        } else {
            cr_assert(!polled[1].revents, "registryd ended with %d before it was ready", child_wait(daemon->pid));
        }
    }
    close(pidfd);
}

void daemon_restart(struct daemon *daemon)
{
    char *argv[HARNESS_ARGUMENTS + 6] = {(char[]){REGISTRYD_PATH}, (char[]){"--registry"}, daemon->registry,
                                         (char[]){"--runtime-dir"}, daemon->dir};
    for (size_t i = 0; daemon->extra[i]; i++)
        argv[5 + i] = daemon->extra[i];
    int fd = notify_open(daemon);
    daemon->pid = fork_leashed();
    if (daemon->pid == 0) {
        execv(argv[0], argv);
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    unsetenv("NOTIFY_SOCKET");
    notify_wait(fd, daemon);
    close(fd);
}

void daemon_start(struct daemon *daemon, ...)
{
    static unsigned count;
    size_t extra = 0;
    va_list list;
    *daemon = (struct daemon){0};
    snprintf(daemon->registry, sizeof daemon->registry, "test-%d-%u", (int)getpid(), count++);
    strcpy(daemon->dir, "/tmp/registryd-test-XXXXXX");
    cr_assert(mkdtemp(daemon->dir), "mkdtemp: %s", strerror(errno));
    remains_note(daemon);
    va_start(list, daemon);
    for (const char *next; (next = va_arg(list, char *)) != NULL;) {
        cr_assert(extra < HARNESS_ARGUMENTS - 1, "too many arguments");
        daemon->extra[extra++] = strdup(next);
    }
    va_end(list);
    daemon_restart(daemon);
}

void daemon_kill(struct daemon *daemon)
{
    kill(daemon->pid, SIGKILL);
    child_wait(daemon->pid);
    daemon->pid = 0;
}

int daemon_term(struct daemon *daemon)
{
    kill(daemon->pid, SIGTERM);
    int status = child_wait(daemon->pid);
    daemon->pid = 0;
    return status;
}

void daemon_stop(struct daemon *daemon)
{
    if (daemon->pid)
        cr_expect(daemon_term(daemon) == 0, "registryd did not end well on SIGTERM");
    struct output purge;
    run(&purge, REGISTRYD_PATH, "--registry", daemon->registry, "--runtime-dir", daemon->dir, "--purge", (char *)NULL);
    cr_expect(purge.status == 0, "registryd --purge: %d: %s", purge.status, purge.err);
    output_free(&purge);
    cr_expect(!registry_exists(daemon->registry), "%s is left in /dev/shm", daemon->registry);
    nftw(daemon->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; daemon->extra[i]; i++)
        free(daemon->extra[i]);
    daemon->extra[0] = NULL;
}
