#include "registryd/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registryd/log.h"
#include "registryd/walltime.h"

#define SIZE_MAX_READ (128u << 20) /* far more than 65,536 breakers take */
#define NAME_EXTRA    40           /* room for what is added to the name */

/* ---- the folder ---- */

/* Whoever may write to the folder may put another file in its place. */
static bool folder_trusted(const struct state_file *file)
{
    struct stat status;
    if (fstat(file->folder, &status) < 0)
        return false;
    bool others = (status.st_mode & 022) != 0 && (status.st_mode & S_ISVTX) == 0;
    bool foreign = status.st_uid != geteuid() && status.st_uid != 0;
    if (others || foreign)
        log_say(LOG_ERR, "%s: its folder belongs to uid %u with mode %04o, and nobody but us may write to it",
                file->path, (unsigned)status.st_uid, status.st_mode & 07777);
    return !others && !foreign;
}

static bool folder_open(struct state_file *file)
{
    char folder[STATE_PATH_SIZE];
    snprintf(folder, sizeof folder, "%.*s", (int)(file->name - file->path), file->path);
    file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->folder < 0 || faccessat(file->folder, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        log_say(LOG_ERR, "%s: its folder cannot be written to: %s; choose another file for the state", file->path,
                strerror(errno));
        return false;
    }
    return folder_trusted(file);
}

bool state_file_open(struct state_file *file, const char *path)
{
    const char *slash = strrchr(path, '/');
    file->folder = -1;
    if (*path != '/' || slash[1] == '\0' || strlen(path) + NAME_EXTRA >= sizeof file->path) {
        log_say(LOG_ERR, "%s cannot be the file for the state: give an absolute path of at most %zu bytes", path,
                (size_t)STATE_PATH_SIZE - NAME_EXTRA - 1);
        return false;
    }
    snprintf(file->path, sizeof file->path, "%s", path);
    file->name = file->path + (slash + 1 - path);
    if (folder_open(file))
        return true;
    state_file_close(file);
    return false;
}

void state_file_close(struct state_file *file)
{
    if (file->folder >= 0)
        close(file->folder);
    file->folder = -1;
}

/* ---- reading ---- */

/* 0: it is a plain file of ours. */
static int file_check(const struct state_file *file)
{
    struct stat status;
    if (fstatat(file->folder, file->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        log_say(LOG_ERR, "%s is no plain file; remove it, or choose another for the state", file->path);
    else if (status.st_uid != geteuid())
        log_say(LOG_ERR, "%s belongs to uid %u; remove it, or choose another file for the state", file->path,
                (unsigned)status.st_uid);
    else
        return 0;
    return -EPERM;
}

static int content_read(int fd, char **content, size_t *length)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size > SIZE_MAX_READ)
        return -EFBIG;
    *content = malloc((size_t)status.st_size + 1);
    if (*content == NULL)
        return -ENOMEM;
    *length = 0;
    for (ssize_t more = 1; more > 0 && *length < (size_t)status.st_size; *length += (size_t)more) {
        more = read(fd, *content + *length, (size_t)status.st_size - *length);
        if (more < 0) {
            int error = -errno;
            free(*content);
            return error;
        }
    }
    (*content)[*length] = '\0';
    return 0;
}

int state_file_read(const struct state_file *file, char **content, size_t *length)
{
    int result = file_check(file);
    if (result != 0)
        return result;
    int fd = openat(file->folder, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    result = content_read(fd, content, length);
    close(fd);
    return result;
}

/* ---- writing ---- */

static int content_write(int fd, const char *content, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, content, length);
        if (written < 0)
            return -errno;
        content += written;
        length -= (size_t)written;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

/* Whatever bears that name was left by a writer that died. */
static int new_create(const struct state_file *file, const char *name)
{
    unlinkat(file->folder, name, 0);
    int fd = openat(file->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

int state_file_write(const struct state_file *file, const char *content, size_t length)
{
    char name[STATE_PATH_SIZE];
    snprintf(name, sizeof name, "%s.new", file->name);
    int fd = new_create(file, name);
    if (fd < 0)
        return fd;
    int result = content_write(fd, content, length);
    close(fd);
    if (result == 0 && renameat(file->folder, name, file->folder, file->name) < 0)
        result = -errno;
    if (result != 0) {
        unlinkat(file->folder, name, 0);
        return result;
    }
    return fsync(file->folder) == 0 ? 0 : -errno;
}

int state_file_keep(const struct state_file *file, char kept[STATE_PATH_SIZE])
{
    char time[WALLTIME_SIZE];
    walltime_format(walltime_now_ms(), time);
    if (snprintf(kept, STATE_PATH_SIZE, "%s.kept-%s", file->path, time) >= STATE_PATH_SIZE)
        return -ENAMETOOLONG;
    const char *name = kept + (file->name - file->path);
    if (linkat(file->folder, file->name, file->folder, name, 0) < 0)
        return -errno;
    return fsync(file->folder) == 0 ? 0 : -errno;
}
