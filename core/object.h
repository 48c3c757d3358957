/* One shared-memory object: its name, making it without a name, publishing it, opening somebody else's. */
#ifndef CORE_OBJECT_H
#define CORE_OBJECT_H

#include <sys/stat.h>

#include "core/segment.h"

#define OBJECT_PATH_SIZE 128 /* "/dev/shm/registryd." NAME ".panel" */
#define OBJECT_NONE      (-1)

enum object_kind { OBJECT_PANEL, OBJECT_LIVE };
void object_path(char out[OBJECT_PATH_SIZE], const char *registry, enum object_kind);

/* Make an object of `size` zero bytes that has no name yet: whatever happens to us, the kernel takes it back. Mode and
 * group are set exactly, whatever the umask. */
int object_create(uint64_t size, mode_t mode, gid_t group, int *fd, char error[SEGMENT_ERROR_SIZE]);

/* Give it its name; -EEXIST: that is taken. */
int object_publish(int fd, const char *path);

/* Open a published one: -ENOENT; SEGMENT_EOWNER: not a regular file, neither root's nor ours, or others may write to
 * it; `group_writes` says whether its group may. Its size is checked by the caller. */
int object_open(const char *path, bool writable, bool group_writes, int *fd, struct stat *status,
                char error[SEGMENT_ERROR_SIZE]);

/* NULL: errno says why. */
void *object_map(int fd, uint64_t size, bool writable);
/* Have the kernel clear all pages now, not one by one under the calls that come first. Kernels before 5.14 do not. */
void object_warm(void *memory, uint64_t size);
void object_unmap(void *memory, uint64_t size); /* NULL: nothing */
void object_close(int *fd);

#endif
