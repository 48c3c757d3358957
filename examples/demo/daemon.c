#include "daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "child.h"

#define READY_MS 10000

/* The socket on which registryd says READY=1 (sd_notify). */
static int notify_open(const char *dir, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "%s/notify", dir);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof *address) == 0)
        return fd;
    int error = -errno;
    if (fd >= 0)
        close(fd);
    return error;
}

static int ready_wait(pid_t pid, int notify)
{
    char text[256];
    int alive = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd fds[] = {{.fd = notify, .events = POLLIN}, {.fd = alive, .events = POLLIN}};
    int result = -EAGAIN;
    while (result == -EAGAIN) {
        int ready = poll(fds, 2, READY_MS);
        if (ready <= 0)
            result = ready == 0 ? -ETIMEDOUT : -errno;
        else if (fds[0].revents) {
            ssize_t length = recv(notify, text, sizeof text - 1, 0);
            text[length > 0 ? length : 0] = '\0';
            result = strstr(text, "READY=1") ? 0 : -EAGAIN;
        } else
            result = -ECHILD;
    }
    if (alive >= 0)
        close(alive);
    return result;
}

static int log_open(const struct daemon *daemon, int flags)
{
    char path[128];
    snprintf(path, sizeof path, "%s/log", daemon->dir);
    return open(path, flags | O_CLOEXEC, 0600);
}

/* What it had to say is of interest only when it did not start. */
static void log_show(const struct daemon *daemon)
{
    char text[2048];
    int fd = log_open(daemon, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (length > 0)
        fwrite(text, 1, (size_t)length, stderr);
    if (fd >= 0)
        close(fd);
}

_Noreturn static void daemon_exec(const struct daemon *daemon, const char *capacity, const char *notify)
{
    setenv("NOTIFY_SOCKET", notify, 1);
    dup2(log_open(daemon, O_WRONLY | O_CREAT | O_TRUNC), STDERR_FILENO);
    execl(DEMO_REGISTRYD, "registryd", "--registry", daemon->registry, "--runtime-dir", daemon->dir, "--capacity",
          capacity, (char *)NULL);
    perror(DEMO_REGISTRYD);
    _exit(127);
}

int daemon_start(struct daemon *daemon, const char *label, uint32_t capacity)
{
    struct sockaddr_un address;
    char number[16];
    *daemon = (struct daemon){0};
    snprintf(number, sizeof number, "%u", capacity);
    snprintf(daemon->registry, sizeof daemon->registry, "%s-%d", label, (int)getpid());
    snprintf(daemon->dir, sizeof daemon->dir, "/tmp/registryd-%s-XXXXXX", label);
    if (!mkdtemp(daemon->dir)) {
        daemon->dir[0] = '\0';
        return -errno;
    }
    int notify = notify_open(daemon->dir, &address);
    int error = notify < 0 ? notify : 0;
    if (error == 0 && (daemon->pid = child_fork(SIGTERM)) == 0)
        daemon_exec(daemon, number, address.sun_path);
    if (error == 0)
        error = daemon->pid < 0 ? -EAGAIN : ready_wait(daemon->pid, notify);
    if (notify >= 0)
        close(notify);
    if (error) {
        log_show(daemon);
        daemon_stop(daemon);
    }
    return error;
}

/* It keeps the memory when it ends, so that a restart takes over; this removes it. */
static void memory_purge(const struct daemon *daemon)
{
    pid_t pid = child_fork(SIGTERM);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execl(DEMO_REGISTRYD, "registryd", "--registry", daemon->registry, "--runtime-dir", daemon->dir, "--purge",
              (char *)NULL);
        _exit(127);
    }
    child_end(&pid, 0);
}

static void directory_remove(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

void daemon_stop(struct daemon *daemon)
{
    if (daemon->pid > 0) {
        child_end(&daemon->pid, SIGTERM);
        memory_purge(daemon);
    }
    if (daemon->dir[0])
        directory_remove(daemon->dir);
    daemon->dir[0] = '\0';
}
