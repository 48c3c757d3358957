#include "core/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/object.h"

#define GUARD_SIZE 1 /* rounded up to a page by the kernel */

int guard_open(const struct segment *segment)
{
    char path[OBJECT_PATH_SIZE];
    struct live_header header;
    if (*segment->registry == '\0')
        return -ENOENT; /* private memory */
    object_path(path, segment->registry, OBJECT_LIVE);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    if (pread(fd, &header, sizeof header, 0) == sizeof header && header.identity == segment->panel->identity)
        return fd;
    close(fd);
    return -ENOENT; /* another registry has the name by now */
}

static struct flock byte_of(uint32_t worker)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = worker, .l_len = 1};
}

static void *lock_and_map(int fd, uint32_t worker)
{
    struct flock lock = byte_of(worker);
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
        return NULL;
    void *memory = mmap(NULL, GUARD_SIZE, PROT_NONE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (madvise(memory, GUARD_SIZE, MADV_DONTFORK) == 0)
        return memory;
    munmap(memory, GUARD_SIZE);
    return NULL;
}

int guard_take(const struct segment *segment, uint32_t worker, void **guard)
{
    int fd = guard_open(segment);
    *guard = NULL;
    if (fd < 0)
        return fd;
    *guard = lock_and_map(fd, worker);
    int result = *guard ? 0 : errno == EACCES ? -EAGAIN : -errno;
    close(fd); /* the mapping keeps the lock */
    return result;
}

void guard_drop(void *guard)
{
    if (guard)
        munmap(guard, GUARD_SIZE);
}

bool guard_held(int fd, uint32_t worker)
{
    struct flock lock = byte_of(worker);
    return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK; /* who cannot ask knows of no end */
}
