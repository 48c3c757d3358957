/* A process's lane: where it writes its calls in flight, so that others know them when it dies. */
#ifndef CORE_LANE_H
#define CORE_LANE_H

#include "core/segment.h"

/*
 * Process-private; lies in memory that a fork wipes (MADV_WIPEONFORK), so that a child starts with none.
 *
 * A thread has a chunk of its own and claims entries there with plain stores: only it turns a free entry into a busy
 * one, whoever turns it back. What does not fit (more calls at once, more threads than LANE_THREADS, more registries
 * than LANE_REGISTRIES in one thread) goes to chunks that all threads share, by compare-and-swap. A thread that exits
 * leaves its chunk, with what is still in flight there, to the next new thread.
 */
struct lane;
struct lane_head { /* how every lane begins: what the call path looks at */
    au64 serial;   /* 0 until started; different for every lane that this process or its parents ever started */
    au64 identity; /* process_identity() */
};
#define LANE_THREADS    64
#define LANE_REGISTRIES 4

int lane_create(struct lane **out);
/* Give the worker number back; its calls in flight count as abandoned. */
void lane_destroy(const struct segment *, struct lane *);
/* This process, as in its worker record (0: not started, for example in a forked child before its first call). */
static inline uint64_t lane_identity(const struct lane *lane)
{
    return atomic_load_explicit(&((const struct lane_head *)(const void *)lane)->identity, memory_order_relaxed);
}
/* Whose a permit is. */
static inline uint64_t lane_serial(const struct lane *lane)
{
    return atomic_load_explicit(&((const struct lane_head *)(const void *)lane)->serial, memory_order_acquire);
}
/* Claim the worker number now instead of with the first call. False: all numbers are taken (calls go untracked). */
bool lane_start(const struct segment *, struct lane *);

/* The worker number + 1; 0: not started, or none was free. */
uint32_t lane_worker(const struct lane *);

#define LANE_NONE UINT32_MAX
static inline struct call *lane_call(const struct segment *segment, uint32_t entry)
{
    return &segment->chunks[entry / CHUNK_CALLS].calls[entry % CHUNK_CALLS];
}

/* What a thread knows of its own chunks. */
struct ownership {
    struct lane *lane;
    uint64_t serial;    /* tells whether the rest still holds */
    uint64_t key;       /* ~serial where it has a chunk, else 0 (which no serial gives): one compare for both */
    struct call *calls; /* its chunk; NULL: shared chunks it is */
    uint32_t first;     /* its first entry */
    struct owned_record *record; /* where the lane says that it is taken */
};
/* Initial-exec: one load from the thread's own block, and few bytes enough for libraries loaded later. */
extern _Thread_local struct ownership lane_ownership[LANE_REGISTRIES] __attribute__((tls_model("initial-exec")));

static inline uint64_t call_next_sequence(uint64_t old)
{
    return (((old >> CALL_SEQUENCE_SHIFT) + 1) & CALL_SEQUENCE_MASK) << CALL_SEQUENCE_SHIFT;
}

/* What a lane entry holds after its call: nothing but its sequence, so that its next call is another one. */
static inline uint64_t call_freed(uint64_t word)
{
    return word & CALL_SEQUENCE_MASK << CALL_SEQUENCE_SHIFT;
}

/* A free entry of the thread's own chunk, and what is in it; CHUNK_CALLS: all are busy. Only this thread makes them so,
 * which is why a plain store claims what is found. The acquire pairs with the release of whoever freed it. */
static inline uint32_t ownership_free_entry(const struct ownership *own, uint64_t *word)
{
    for (uint32_t at = 0; at < CHUNK_CALLS; at++) {
        *word = atomic_load_explicit(&own->calls[at].call, memory_order_acquire);
        if (__builtin_expect((*word & CALL_BUSY) == 0, 1))
            return at;
    }
    return CHUNK_CALLS;
}

/* Claim a free entry for `word` (slot, epoch, flags); the sequence is added to *word. LANE_NONE: no room. */
uint32_t lane_claim(const struct segment *, struct lane *, uint64_t *word);

/* This process as a worker record: pid and start time. */
uint64_t process_identity(void);
static inline uint32_t process_pid(uint64_t process)
{
    return (uint32_t)(process & ((UINT64_C(1) << WORKER_PID_BITS) - 1));
}
static inline uint64_t process_ticks(uint64_t process)
{
    return (process & ~WORKER_GUARDED) >> WORKER_PID_BITS;
}

#endif
