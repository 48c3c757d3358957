#include "core/geometry.h"

#include <stddef.h>
#include <sys/types.h>
#ifdef __GLIBC__
#define LIBC_NAME 0x676c6962u /* the name alone: minor versions of it share one pthread_mutex_t */
#else
#define LIBC_NAME 0x6f746872u
#endif

/* Every type that lies in shared memory, and every member of it that the size alone would not tell apart. */
static const uint32_t shape[] = {
    LIBC_NAME,
    sizeof(long),
    sizeof(pthread_mutex_t),
    NAME_SIZE,
    REASON_SIZE,
    PATH_SIZE,
    CHUNK_CALLS,
    WINDOW_PERIODS,
    LATENCY_BUCKETS,
    WORKER_PID_BITS,
    sizeof(struct policy),
    offsetof(struct policy, window),
    offsetof(struct policy, open_timeout_ms),
    offsetof(struct policy, call_timeout_ms),
    offsetof(struct policy, timing),
    sizeof(struct panel_header),
    offsetof(struct panel_header, clock_id),
    offsetof(struct panel_header, index_offset),
    offsetof(struct panel_header, worker_offset),
    offsetof(struct panel_header, live_size),
    offsetof(struct panel_header, socket),
    offsetof(struct panel_header, retired),
    offsetof(struct panel_header, tick),
    offsetof(struct panel_header, keeper),
    offsetof(struct panel_header, event_last),
    offsetof(struct panel_header, order),
    offsetof(struct panel_header, mutex),
    sizeof(struct event),
    offsetof(struct event, until_ms),
    offsetof(struct event, slot),
    offsetof(struct event, command),
    offsetof(struct event, reason),
    offsetof(struct order, event),
    sizeof(struct override),
    offsetof(struct override, until_ms),
    offsetof(struct override, reason),
    sizeof(struct control_copy),
    offsetof(struct control_copy, name),
    offsetof(struct control_copy, policy),
    offsetof(struct control_copy, override),
    offsetof(struct control_copy, place_first),
    offsetof(struct control_copy, past_first),
    offsetof(struct control_copy, window_id),
    offsetof(struct control_copy, created_ms),
    sizeof(struct control),
    offsetof(struct control, noted),
    offsetof(struct control, told),
    offsetof(struct control, mutex),
    offsetof(struct control, copy),
    sizeof(struct live_header),
    offsetof(struct live_header, journal_head),
    sizeof(struct worker),
    offsetof(struct worker, untracked),
    sizeof(struct call),
    offsetof(struct call, started_ms),
    sizeof(struct chunk),
    sizeof(struct record),
    offsetof(struct record, what),
    offsetof(struct record, who),
    offsetof(struct record, until_ms),
    sizeof(struct period),
    sizeof(struct stripe),
    offsetof(struct stripe, latency),
    offsetof(struct stripe, periods),
    sizeof(struct slot),
    offsetof(struct slot, streak),
    offsetof(struct slot, transitions),
    offsetof(struct slot, abandoned),
    offsetof(struct slot, ring_head),
    offsetof(struct slot, ring),
};

uint32_t layout_hash(void)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (unsigned byte = 0; byte < 4; byte++)
            hash = (hash ^ (shape[i] >> 8 * byte & 0xff)) * 16777619u;
    return hash;
}
