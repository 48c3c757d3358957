/* A mapped registry: in private memory, joined, left. Making a shared one is in segment_create.c. */
#include "core/segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/header.h"
#include "core/object.h"

static void *map_private(uint64_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

int segment_private(const struct geometry *geometry, struct segment *out)
{
    struct panel_header header;
    memset(out, 0, sizeof *out);
    int result = header_init(&header, geometry, "");
    if (result != 0)
        return result;
    void *panel = map_private(header.panel_size), *live = map_private(header.live_size);
    if (panel == NULL || live == NULL) {
        object_unmap(panel, header.panel_size);
        object_unmap(live, header.live_size);
        return -ENOMEM;
    }
    header_bind(&header, panel, true, live, out);
    out->owner = geteuid();
    *out->panel_rw = header;
    header_furnish(out);
    return 0;
}

/* ---- joining ---- */

/* A copy of the header, made once: what is checked is what is used. */
static int read_header(int fd, uint64_t size, struct panel_header *header, char error[SEGMENT_ERROR_SIZE])
{
    ssize_t length = pread(fd, header, sizeof *header, 0);
    if (length < 0)
        return fault(error, -errno, "cannot read the panel: %s", strerror(errno));
    return header_check(header, (size_t)length, size, error);
}

static bool is_retired(const void *panel)
{
    return atomic_load_explicit(&((const struct panel_header *)panel)->retired, memory_order_acquire) != 0;
}

static int retired(const char *name, char error[SEGMENT_ERROR_SIZE])
{
    return fault(error, SEGMENT_ERETIRED, "registry %s has just been replaced: attach again", name);
}

static int join_panel(const char *name, bool writable, struct panel_header *header, uid_t *owner, void **panel,
                      char error[SEGMENT_ERROR_SIZE])
{
    char path[OBJECT_PATH_SIZE];
    struct stat status;
    int fd;
    object_path(path, name, OBJECT_PANEL);
    int result = object_open(path, writable, false, &fd, &status, error);
    if (result == -ENOENT)
        return fault(error, SEGMENT_EABSENT, "there is no registry %s (%s): start registryd", name, path);
    if (result != 0)
        return result;
    result = read_header(fd, (uint64_t)status.st_size, header, error);
    if (result == 0) {
        *panel = object_map(fd, header->panel_size, writable);
        result = *panel != NULL ? 0 : fault(error, -errno, "cannot map %s: %s", path, strerror(errno));
    }
    *owner = status.st_uid;
    object_close(&fd);
    return result;
}

static int check_live(const struct panel_header *header, const struct live_header *live, char error[SEGMENT_ERROR_SIZE])
{
    if (live->magic == header->magic && live->identity == header->identity)
        return 0;
    return fault(error, SEGMENT_ECORRUPT, "the registry's two objects do not belong together: " REMEDY);
}

/* What `live` says of itself may be a worker's damage, and everything else in it may be, too: for its owner no reason to
 * give up what the panel has. */
static int map_live(int fd, const struct stat *status, const struct panel_header *header, uid_t owner, bool writable,
                    void **live, char error[SEGMENT_ERROR_SIZE])
{
    if (status->st_uid != owner)
        return fault(error, SEGMENT_EOWNER, "the registry's two objects belong to uid %u and uid %u: " REMEDY,
                     (unsigned)owner, (unsigned)status->st_uid);
    if ((uint64_t)status->st_size != header->live_size)
        return fault(error, SEGMENT_ECORRUPT, "the live object has %llu bytes instead of %llu: it is damaged; " REMEDY,
                     (unsigned long long)status->st_size, (unsigned long long)header->live_size);
    *live = object_map(fd, header->live_size, true);
    if (*live == NULL)
        return fault(error, -errno, "cannot map the live object: %s", strerror(errno));
    return writable ? 0 : check_live(header, *live, error);
}

static int join_live(const char *name, const struct panel_header *header, uid_t owner, bool writable, void **live,
                     char error[SEGMENT_ERROR_SIZE])
{
    char path[OBJECT_PATH_SIZE];
    struct stat status;
    int fd;
    object_path(path, name, OBJECT_LIVE);
    int result = object_open(path, true, true, &fd, &status, error);
    if (result == -ENOENT)
        return fault(error, SEGMENT_ECORRUPT, "%s is missing: " REMEDY, path);
    if (result != 0)
        return result;
    result = map_live(fd, &status, header, owner, writable, live, error);
    object_close(&fd);
    return result;
}

int segment_open(const char *name, bool writable, struct segment *out, char error[SEGMENT_ERROR_SIZE])
{
    struct panel_header header = {0};
    void *panel = NULL, *live = NULL;
    uid_t owner = 0;
    memset(out, 0, sizeof *out);
    if (!registry_name_valid(name))
        return fault(error, SEGMENT_ENAME, "a registry's name has 1 to 63 bytes of A-Z a-z 0-9 . _ -");
    int result = join_panel(name, writable, &header, &owner, &panel, error);
    if (result == 0)
        result = join_live(name, &header, owner, writable, &live, error);
    /* Retired explains whatever else did not fit: its names may be gone, or another's by now. */
    if (panel != NULL && is_retired(panel))
        result = retired(name, error);
    if (result != 0) {
        object_unmap(panel, header.panel_size);
        object_unmap(live, header.live_size);
        return result;
    }
    header_bind(&header, panel, writable, live, out);
    out->owner = owner;
    strcpy(out->registry, name);
    return 0;
}

void segment_close(struct segment *segment)
{
    object_unmap((void *)segment->panel, segment->panel_size);
    object_unmap(segment->live, segment->live_size);
    memset(segment, 0, sizeof *segment);
}
