#include "registryd/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "registryd/log.h"

static bool path_default(char out[PATH_SIZE])
{
    const char *session = getenv("XDG_RUNTIME_DIR");
    int length;
    if (geteuid() == 0)
        length = snprintf(out, PATH_SIZE, "/run/registryd");
    else if (session && *session == '/')
        length = snprintf(out, PATH_SIZE, "%s/registryd", session);
    else
        length = snprintf(out, PATH_SIZE, "/tmp/registryd-%u", (unsigned)geteuid());
    return length < PATH_SIZE;
}

static bool paths_fill(struct rundir *dir, const char *path, const char *name)
{
    bool fits = path ? snprintf(dir->path, PATH_SIZE, "%s", path) < PATH_SIZE : path_default(dir->path);
    fits = fits && snprintf(dir->socket, PATH_SIZE, "%s/%s.sock", dir->path, name) < PATH_SIZE;
    fits = fits && snprintf(dir->lock, PATH_SIZE, "%s/%s.lock", dir->path, name) < PATH_SIZE;
    if (fits && *dir->path == '/')
        return true;
    log_say(LOG_ERR, "%s/%s.sock is no path for a socket: give --runtime-dir an absolute path, %d bytes at most in all",
            dir->path, name, PATH_SIZE - 1);
    return false;
}

/* Whoever may write to the folder may put a socket of his own in our socket's place. */
static bool folder_trusted(const char *path)
{
    struct stat status;
    if (lstat(path, &status) < 0) {
        log_say(LOG_ERR, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        log_say(LOG_ERR, "%s is not a folder; remove it, or choose another with --runtime-dir", path);
        return false;
    }
    if (status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
        log_say(LOG_ERR,
                "%s belongs to uid %u with mode %04o, and only we may own it and write to it; "
                "choose another with --runtime-dir",
                path, (unsigned)status.st_uid, status.st_mode & 07777);
        return false;
    }
    return true;
}

static bool folder_make(const char *path, bool shared)
{
    if (mkdir(path, 0700) == 0) {
        if (chmod(path, shared ? 0755 : 0700) == 0)
            return true;
        log_say(LOG_ERR, "%s: %s", path, strerror(errno));
        return false;
    }
    if (errno == EEXIST)
        return folder_trusted(path);
    log_say(LOG_ERR, "%s cannot be created: %s; create it, or choose another with --runtime-dir", path,
            strerror(errno));
    return false;
}

static void say_who_runs(const char *name, int fd)
{
    char pid[16] = "";
    ssize_t length = pread(fd, pid, sizeof pid - 1, 0);
    pid[length > 0 ? length : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    log_say(LOG_ERR, "a daemon for the registry %s runs already: pid %s", name, *pid ? pid : "unknown");
}

/* The lock is on the file that bears the name now: its last holder removes it while it still holds the lock. Nobody
 * else may open it, or he could lock us out. */
static int lock_try(const char *path, bool *ours)
{
    struct stat locked, named;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    *ours = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!*ours || (fstat(fd, &locked) == 0 && stat(path, &named) == 0 && named.st_ino == locked.st_ino &&
                   named.st_dev == locked.st_dev))
        return fd; /* another's: for its pid */
    close(fd);
    return -ESTALE;
}

static bool lock_take(struct rundir *dir, const char *name)
{
    int fd;
    bool ours = false;
    do
        fd = lock_try(dir->lock, &ours);
    while (fd == -ESTALE);
    if (fd < 0) {
        log_say(LOG_ERR, "%s cannot be written: %s; choose another folder with --runtime-dir", dir->lock,
                strerror(-fd));
        return false;
    }
    if (!ours) {
        say_who_runs(name, fd);
        close(fd);
        return false;
    }
    dir->fd = fd;
    return true;
}

static void lock_sign(const struct rundir *dir)
{
    if (ftruncate(dir->fd, 0) < 0 || dprintf(dir->fd, "%ld\n", (long)getpid()) < 0)
        log_say(LOG_WARNING, "%s: %s", dir->lock, strerror(errno));
}

bool rundir_open(struct rundir *dir, const char *path, const char *name, bool shared)
{
    dir->fd = -1;
    if (!paths_fill(dir, path, name) || !folder_make(dir->path, shared) || !lock_take(dir, name))
        return false;
    lock_sign(dir);
    return true;
}

void rundir_share(const struct rundir *dir, bool usual)
{
    struct stat status;
    if (lstat(dir->path, &status) < 0 || (status.st_mode & 0011) != 0)
        return;
    if (!usual || chmod(dir->path, 0755) < 0)
        log_say(LOG_WARNING, "%s has mode %04o: no other user reaches the socket in it; chmod 755 opens it", dir->path,
                status.st_mode & 07777);
}

void rundir_close(struct rundir *dir)
{
    if (dir->fd < 0)
        return;
    unlink(dir->lock);
    close(dir->fd);
    dir->fd = -1;
}

/* Does some process have the socket? It does not notice that we ask: a connection of another type is refused with
 * EPROTOTYPE by a socket that somebody has, and with ECONNREFUSED by one that was left behind. */
static bool socket_is_alive(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno == EPROTOTYPE;
    if (fd >= 0)
        close(fd);
    return alive;
}

void rundir_sweep(const struct rundir *dir)
{
    if (!socket_is_alive(dir->socket))
        unlink(dir->socket);
}
