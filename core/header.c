#include "core/header.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/geometry.h"

/* The inode that stands for this process's namespace of a kind; 0 where the kernel has none. */
static uint64_t own_namespace(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

static uint64_t own_pid_namespace(void)
{
    return own_namespace("/proc/self/ns/pid");
}

bool header_numbers_here(const struct panel_header *header)
{
    uint64_t here = own_pid_namespace();
    return here == 0 || here == header->pid_namespace;
}

static uint64_t own_time_namespace(void)
{
    return own_namespace("/proc/self/ns/time");
}

static uint64_t new_identity(void)
{
    uint64_t identity = 0;
    if (getrandom(&identity, sizeof identity, GRND_NONBLOCK) != (ssize_t)sizeof identity) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        identity = (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
    }
    return identity;
}

int header_init(struct panel_header *header, const struct geometry *geometry, const char *socket)
{
    memset(header, 0, sizeof *header);
    if (!geometry_plan(geometry, header) || strlen(socket) >= sizeof header->socket)
        return -EINVAL;
    header->magic = LAYOUT_MAGIC;
    header->version = LAYOUT_VERSION;
    header->layout_hash = layout_hash();
    header->identity = new_identity();
    header->created_ms = clock_read_ms(CLOCK_MONOTONIC);
    header->pid_namespace = own_pid_namespace();
    header->time_namespace = own_time_namespace();
    header->clock_id = CLOCK_MONOTONIC;
    strcpy(header->socket, socket);
    return 0;
}

void header_furnish(const struct segment *segment)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&segment->panel_rw->keeper, &attributes);
    pthread_mutex_init(&segment->panel_rw->mutex, &attributes);
    for (uint32_t slot = 0; slot < segment->capacity; slot++)
        pthread_mutex_init((pthread_mutex_t *)&segment->controls[slot].mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    segment->live->magic = segment->panel->magic;
    segment->live->identity = segment->panel->identity;
}

static int check_format(const struct panel_header *header, size_t length, char error[SEGMENT_ERROR_SIZE])
{
    if (length < offsetof(struct panel_header, identity))
        return fault(error, SEGMENT_ECORRUPT, "the panel ends after %zu bytes: " REMEDY, length);
    if (header->magic == __builtin_bswap64(LAYOUT_MAGIC))
        return fault(error, SEGMENT_ELAYOUT,
                     "the registry was made with the other byte order: "
                     "use it from programs of the same architecture as registryd");
    if (header->magic != LAYOUT_MAGIC)
        return fault(error, SEGMENT_ECORRUPT,
                     "the panel begins with %016llx instead of %016llx: it is damaged or no registry; " REMEDY,
                     (unsigned long long)header->magic, (unsigned long long)LAYOUT_MAGIC);
    if (header->version != LAYOUT_VERSION)
        return fault(error, SEGMENT_EVERSION,
                     "the registry has layout version %u, this program knows version %u: "
                     "install the same release on both sides, then restart registryd",
                     (unsigned)header->version, LAYOUT_VERSION);
    if (header->layout_hash != layout_hash())
        return fault(error, SEGMENT_ELAYOUT,
                     "the registry's layout hash is %08x, this program's %08x: another libc, word size or build of "
                     "this version: install the same release on both sides, then restart registryd",
                     (unsigned)header->layout_hash, (unsigned)layout_hash());
    return 0;
}

/* Processes are told apart by pid, deadlines by the clock: both mean something only in the registry's own namespaces. */
static int check_namespaces(const struct panel_header *header, char error[SEGMENT_ERROR_SIZE])
{
    if (header->pid_namespace != own_pid_namespace())
        return fault(error, SEGMENT_ENAMESPACE,
                     "the registry belongs to PID namespace %llu, this process to %llu: "
                     "run a registryd in this container, or share the host's PID namespace",
                     (unsigned long long)header->pid_namespace, (unsigned long long)own_pid_namespace());
    if (header->time_namespace != own_time_namespace())
        return fault(error, SEGMENT_ENAMESPACE,
                     "the registry belongs to time namespace %llu, this process to %llu: "
                     "run a registryd in this time namespace",
                     (unsigned long long)header->time_namespace, (unsigned long long)own_time_namespace());
    return 0;
}

/* Everything from index_length to live_size follows from the counts. */
static bool same_plan(const struct panel_header *stated, const struct panel_header *planned)
{
    const size_t first = offsetof(struct panel_header, capacity), end = offsetof(struct panel_header, socket);
    return memcmp((const char *)stated + first, (const char *)planned + first, end - first) == 0;
}

static int check_sizes(const struct panel_header *header, uint64_t size, char error[SEGMENT_ERROR_SIZE])
{
    struct geometry geometry;
    struct panel_header planned = {0};
    geometry_of(header, &geometry);
    if (!geometry_plan(&geometry, &planned) || !same_plan(header, &planned))
        return fault(error, SEGMENT_ECORRUPT,
                     "the panel's counts and offsets contradict each other: it is damaged; " REMEDY);
    if (size != planned.panel_size)
        return fault(error, SEGMENT_ECORRUPT, "the panel has %llu bytes instead of %llu: it is damaged; " REMEDY,
                     (unsigned long long)size, (unsigned long long)planned.panel_size);
    if (memchr(header->socket, '\0', sizeof header->socket) == NULL)
        return fault(error, SEGMENT_ECORRUPT, "the panel's socket path has no end: it is damaged; " REMEDY);
    return 0;
}

int header_check(const struct panel_header *header, size_t length, uint64_t size, char error[SEGMENT_ERROR_SIZE])
{
    int result = check_format(header, length, error);
    if (result != 0)
        return result;
    if (length < sizeof *header)
        return fault(error, SEGMENT_ECORRUPT, "the panel has %zu bytes, its header alone %zu: it is damaged; " REMEDY,
                     length, sizeof *header);
    if (header->clock_id != CLOCK_MONOTONIC)
        return fault(error, SEGMENT_ELAYOUT,
                     "the registry keeps time by clock %u, this program by clock %u: "
                     "install the same release on both sides",
                     (unsigned)header->clock_id, (unsigned)CLOCK_MONOTONIC);
    result = check_namespaces(header, error);
    return result != 0 ? result : check_sizes(header, size, error);
}

void header_bind(const struct panel_header *header, void *panel, bool writable, void *live, struct segment *out)
{
    char *board = panel, *shared = live;
    *out = (struct segment){
        .panel = panel,
        .panel_rw = writable ? panel : NULL,
        .index = (const au32 *)(void *)(board + header->index_offset),
        .events = (const struct event *)(void *)(board + header->event_offset),
        .controls = (const struct control *)(void *)(board + header->control_offset),
        .live = live,
        .workers = (struct worker *)(void *)(shared + header->worker_offset),
        .owners = (au32 *)(void *)(shared + header->owner_offset),
        .chunks = (struct chunk *)(void *)(shared + header->chunk_offset),
        .places = (au64 *)(void *)(shared + header->place_offset),
        .journal = (struct record *)(void *)(shared + header->journal_offset),
        .slots = shared + header->slot_offset,
        .slot_stride = header->slot_stride,
        .panel_size = header->panel_size,
        .live_size = header->live_size,
        .capacity = header->capacity,
        .stripes = header->stripes,
        .worker_count = header->worker_count,
        .chunk_count = header->chunk_count,
        .place_count = header->place_count,
        .journal_length = header->journal_length,
        .index_length = header->index_length,
        .event_length = header->event_length,
    };
}
