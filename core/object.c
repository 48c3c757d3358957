#include "core/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/fault.h"

#define FOLDER "/dev/shm" /* where shm_open() keeps its objects; only there can they be made without a name */
#define MIB    (1024.0 * 1024.0)

void object_path(char out[OBJECT_PATH_SIZE], const char *registry, enum object_kind kind)
{
    snprintf(out, OBJECT_PATH_SIZE, FOLDER "/registryd.%.63s.%s", registry, kind == OBJECT_PANEL ? "panel" : "live");
}

static int no_space(uint64_t size, const struct statvfs *folder, char error[SEGMENT_ERROR_SIZE])
{
    return fault(error, -ENOSPC,
                 "the registry needs %.1f MiB more in " FOLDER ", which has %.1f MiB free: lower the capacity, "
                 "or enlarge it (mount -o remount,size=... " FOLDER ", docker run --shm-size)",
                 (double)size / MIB, (double)folder->f_bavail * (double)folder->f_frsize / MIB);
}

/* Take all pages now: a hole would be a SIGBUS in some worker on the day that the folder is full. */
static int allocate(int fd, uint64_t size, char error[SEGMENT_ERROR_SIZE])
{
    struct statvfs folder;
    if (fstatvfs(fd, &folder) != 0)
        return fault(error, -errno, "cannot look at " FOLDER ": %s", strerror(errno));
    /* Asked first, so that a hopeless attempt does not fill the folder for everybody; 0 blocks: it has no limit. */
    if (folder.f_blocks > 0 && (uint64_t)folder.f_bavail * folder.f_frsize < size)
        return no_space(size, &folder, error);
    int result;
    do {
        result = posix_fallocate(fd, 0, (off_t)size);
    } while (result == EINTR);
    if (result == ENOSPC && fstatvfs(fd, &folder) == 0)
        return no_space(size, &folder, error);
    return result == 0 ? 0
                       : fault(error, -result, "cannot allocate %llu bytes in " FOLDER ": %s", (unsigned long long)size,
                               strerror(result));
}

int object_create(uint64_t size, mode_t mode, gid_t group, int *fd, char error[SEGMENT_ERROR_SIZE])
{
    *fd = open(FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fault(error, -errno, "cannot create shared memory in " FOLDER ": %s", strerror(errno));
    int result = 0;
    if (group != (gid_t)-1 && fchown(*fd, (uid_t)-1, group) != 0)
        result = fault(error, -errno, "cannot give the memory to group %u: %s; run registryd as root or as a member",
                       (unsigned)group, strerror(errno));
    else if (fchmod(*fd, mode) != 0)
        result = fault(error, -errno, "cannot set the memory's mode to %o: %s", (unsigned)mode, strerror(errno));
    else
        result = allocate(*fd, size, error);
    if (result != 0)
        object_close(fd);
    return result;
}

int object_publish(int fd, const char *path)
{
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

static int check_owner(const char *path, const struct stat *status, bool group_writes, char error[SEGMENT_ERROR_SIZE])
{
    mode_t forbidden = S_IWOTH | (group_writes ? 0 : S_IWGRP);
    if (!S_ISREG(status->st_mode))
        return fault(error, SEGMENT_EOWNER, "%s is no shared memory: remove it, then restart registryd", path);
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return fault(error, SEGMENT_EOWNER,
                     "%s belongs to uid %u, only root's or uid %u's is trusted: "
                     "use the registry of your own registryd, or remove it",
                     path, (unsigned)status->st_uid, (unsigned)geteuid());
    if (status->st_mode & forbidden)
        return fault(error, SEGMENT_EOWNER,
                     "%s has mode %04o, which lets others write to it (%04o may not be set): " REMEDY, path,
                     (unsigned)status->st_mode & 07777, (unsigned)forbidden);
    return 0;
}

/* Say to whom `path` is open instead, who may do to it what `wanted` lets its group do. */
static int closed_to_us(const char *path, mode_t wanted, char error[SEGMENT_ERROR_SIZE])
{
    struct stat status;
    unsigned us = geteuid();
    if (lstat(path, &status) != 0)
        return fault(error, -EACCES, "%s is not open to uid %u", path, us);
    if (status.st_mode & wanted)
        return fault(error, -EACCES, "%s is not open to uid %u: only uid %u and members of group %u may use it", path,
                     us, (unsigned)status.st_uid, (unsigned)status.st_gid);
    if (wanted & S_IWGRP)
        return fault(error, -EACCES, "%s is not open to uid %u: only its owner, uid %u, may change it", path, us,
                     (unsigned)status.st_uid);
    return fault(error, -EACCES,
                 "%s is not open to uid %u: only to uid %u, and to no group (`members` in registryd.conf)", path, us,
                 (unsigned)status.st_uid);
}

int object_open(const char *path, bool writable, bool group_writes, int *fd, struct stat *status,
                char error[SEGMENT_ERROR_SIZE])
{
    /* O_NONBLOCK: a FIFO of that name must not keep us waiting. */
    *fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 && errno == ELOOP)
        return fault(error, SEGMENT_EOWNER, "%s is a symbolic link: remove it, then restart registryd", path);
    if (*fd < 0 && errno == EACCES)
        return closed_to_us(path, writable ? S_IWGRP : S_IRGRP, error);
    if (*fd < 0)
        return fault(error, -errno, "cannot open %s: %s", path, strerror(errno));
    int result = fstat(*fd, status) == 0 ? check_owner(path, status, group_writes, error)
                                         : fault(error, -errno, "cannot look at %s: %s", path, strerror(errno));
    if (result != 0)
        object_close(fd);
    return result;
}

void *object_map(int fd, uint64_t size, bool writable)
{
    void *memory = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void object_warm(void *memory, uint64_t size)
{
    madvise(memory, size, MADV_POPULATE_WRITE);
}

void object_unmap(void *memory, uint64_t size)
{
    if (memory != NULL)
        munmap(memory, size);
}

void object_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = OBJECT_NONE;
}
