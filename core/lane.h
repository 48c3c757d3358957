/* A process's lane: where it writes its calls in flight, so that others know them when it dies. */
#ifndef CORE_LANE_H
#define CORE_LANE_H

#include "core/segment.h"

/* Process-private; lies in memory that a fork wipes (MADV_WIPEONFORK), so that a child starts with none. */
struct lane;

int lane_create(const struct segment *, struct lane **out);
/* Give the worker number back; its calls in flight count as abandoned. */
void lane_destroy(const struct segment *, struct lane *);
/* Identity of this process's lane (0: not started, for example in a forked child before its first call). */
uint64_t lane_identity(const struct lane *);
/* Claim the worker number now instead of with the first call. False: all numbers are taken (calls go untracked). */
bool lane_start(const struct segment *, struct lane *);

/* The worker number + 1; 0: not started, or none was free. */
uint32_t lane_worker(const struct lane *);

#define LANE_NONE UINT32_MAX
/* Claim a free entry for `word` (slot, epoch, flags); the sequence is added to *word. LANE_NONE: no room. */
uint32_t lane_claim(const struct segment *, struct lane *, unsigned stripe, uint64_t *word);

static inline struct call *lane_call(const struct segment *segment, uint32_t entry)
{
    return &segment->chunks[entry / CHUNK_CALLS].calls[entry % CHUNK_CALLS];
}

/* This process as a worker record: pid and start time. */
uint64_t process_identity(void);
static inline uint32_t process_pid(uint64_t process)
{
    return (uint32_t)(process & ((UINT64_C(1) << WORKER_PID_BITS) - 1));
}

#endif
