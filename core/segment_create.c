/*
 * Making a shared registry. Both objects are complete before either has a name: first live gets its name, then the
 * panel, and only a panel makes a registry. A creator that dies before that leaves at most a live object alone, which
 * the next one replaces. The creator keeps a lock on its live object until the panel is out, so that nobody takes a
 * registry in the making for one of the dead.
 */
#include "core/segment.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/header.h"
#include "core/object.h"

struct pair {
    int panel, live;
};

static int create_pair(const struct panel_header *header, gid_t group, struct pair *pair,
                       char error[SEGMENT_ERROR_SIZE])
{
    bool shared = group != (gid_t)-1;
    int result = object_create(header->panel_size, shared ? 0640 : 0600, group, &pair->panel, error);
    return result != 0 ? result : object_create(header->live_size, shared ? 0660 : 0600, group, &pair->live, error);
}

/* Map and fill them. */
static int fill_pair(const struct panel_header *header, const struct pair *pair, struct segment *out,
                     char error[SEGMENT_ERROR_SIZE])
{
    void *panel = object_map(pair->panel, header->panel_size, true);
    void *live = object_map(pair->live, header->live_size, true);
    if (panel == NULL || live == NULL) {
        object_unmap(panel, header->panel_size);
        object_unmap(live, header->live_size);
        return fault(error, -ENOMEM, "no address space for the registry's memory: lower the capacity");
    }
    object_warm(panel, header->panel_size);
    object_warm(live, header->live_size);
    header_bind(header, panel, true, live, out);
    out->owner = geteuid();
    *out->panel_rw = *header;
    header_furnish(out);
    return 0;
}

static bool same_object(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* Remove a live object whose creator died before its panel was out. -EEXIST: it has a panel or a living creator. */
static int remove_orphan(const char *live_path, const char *panel_path)
{
    char unused[SEGMENT_ERROR_SIZE];
    struct stat status;
    int fd, result = object_open(live_path, true, true, &fd, &status, unused);
    if (result != 0)
        return result == -ENOENT ? 0 : -EEXIST;
    bool orphan = status.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 && same_object(fd, live_path) &&
                  access(panel_path, F_OK) != 0;
    result = orphan && unlink(live_path) == 0 ? 0 : -EEXIST;
    object_close(&fd);
    return result;
}

static int publish_live(const struct pair *pair, const char *live_path, const char *panel_path)
{
    if (flock(pair->live, LOCK_EX | LOCK_NB) != 0)
        return -errno;
    int result = object_publish(pair->live, live_path);
    if (result != -EEXIST || remove_orphan(live_path, panel_path) != 0)
        return result;
    return object_publish(pair->live, live_path);
}

static int publish_pair(const char *name, const struct pair *pair, char error[SEGMENT_ERROR_SIZE])
{
    char panel_path[OBJECT_PATH_SIZE], live_path[OBJECT_PATH_SIZE];
    object_path(panel_path, name, OBJECT_PANEL);
    object_path(live_path, name, OBJECT_LIVE);
    int result = publish_live(pair, live_path, panel_path);
    if (result == 0) {
        result = object_publish(pair->panel, panel_path);
        if (result != 0)
            unlink(live_path);
    }
    flock(pair->live, LOCK_UN);
    if (result == -EEXIST)
        return fault(error, result, "registry %s exists already (%s)", name, panel_path);
    return result == 0 ? 0 : fault(error, result, "cannot publish %s: %s", panel_path, strerror(-result));
}

int segment_create_with(const char *name, const struct geometry *geometry, gid_t group, const char *socket,
                        const struct segment_content *content, struct segment *out, char error[SEGMENT_ERROR_SIZE])
{
    struct panel_header header;
    struct pair pair = {OBJECT_NONE, OBJECT_NONE};
    memset(out, 0, sizeof *out);
    if (!registry_name_valid(name))
        return fault(error, SEGMENT_ENAME, "a registry's name has 1 to 63 bytes of A-Z a-z 0-9 . _ -");
    int result = header_init(&header, geometry, socket);
    if (result != 0)
        return fault(error, result,
                     "a capacity of %u breakers (1 to 65536), or a socket path of %zu bytes (less than %d), cannot be",
                     (unsigned)geometry->capacity, strlen(socket), PATH_SIZE);
    result = create_pair(&header, group, &pair, error);
    if (result == 0)
        result = fill_pair(&header, &pair, out, error);
    strcpy(out->registry, name);
    if (result == 0 && content != NULL)
        content->fill(out, content->arg);
    if (result == 0)
        result = publish_pair(name, &pair, error);
    object_close(&pair.panel);
    object_close(&pair.live);
    if (result != 0)
        segment_close(out);
    return result;
}

int segment_create(const char *name, const struct geometry *geometry, gid_t group, const char *socket,
                   struct segment *out, char error[SEGMENT_ERROR_SIZE])
{
    return segment_create_with(name, geometry, group, socket, NULL, out, error);
}

void segment_retire(const char *name, struct segment *segment)
{
    char path[OBJECT_PATH_SIZE];
    if (segment->panel_rw != NULL)
        atomic_store_explicit(&segment->panel_rw->retired, 1, memory_order_release);
    /* The panel first: a live object alone is nobody's registry. */
    object_path(path, name, OBJECT_PANEL);
    unlink(path);
    object_path(path, name, OBJECT_LIVE);
    unlink(path);
}
