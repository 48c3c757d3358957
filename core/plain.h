/*
 * What nearly every call is: admitted by a closed breaker, successful, and nothing more is to be known of it. Inline, and
 * with every address worked out beforehand, because this is what is paid around each call. Whatever is not so is left to
 * call_acquire() and call_settle(), which handle everything and come to the same.
 *
 * Cost: one atomic read-modify-write (the counter of this CPU), two stores in the thread's own part of the lane.
 */
#ifndef CORE_PLAIN_H
#define CORE_PLAIN_H

#include "core/call.h"
#include "core/counters.h"

/* Where a breaker's words are. */
struct plain_target {
    const au64 *commit;
    struct slot *slot;
    struct stripe *stripes;
    uint32_t stripe_mask;
    uint32_t number;
};

static inline struct plain_target plain_target(const struct segment *segment, uint32_t slot)
{
    return (struct plain_target){
        .commit = &segment->controls[slot].commit,
        .slot = segment_slot(segment, slot),
        .stripes = segment_stripe(segment, slot, 0),
        .stripe_mask = segment->stripes - 1,
        .number = slot,
    };
}

#define PLAIN_EXCLUDES_ACQUIRE (TRAIT_CALL_TIMEOUT | TRAIT_LIMITED | TRAIT_TIMED_COARSE | TRAIT_TIMED_PRECISE)
#define PLAIN_EXCLUDES_SUCCESS (TRAIT_WINDOW_COUNT | TRAIT_WINDOW_TIME | TRAIT_SLOW)
#define PLAIN_EXCLUDES_CALL    (CALL_PROBE | CALL_PENDING | CALL_TIMED | CALL_PLACED)

/* True: admitted, *held is filled. False: nothing was done. */
static inline bool plain_acquire(const struct plain_target *target, const struct lane *lane, uint64_t commit,
                                 struct held *held)
{
    const struct ownership *own = &lane_ownership[0];
    uint64_t gate = atomic_load_explicit(&target->slot->gate, memory_order_acquire);
    uint64_t serial = lane_serial(lane);
    if (gate_state(gate) != STATE_CLOSED || (commit & PLAIN_EXCLUDES_ACQUIRE) || ~own->key != serial)
        return false;
    uint64_t old = atomic_load_explicit(&own->calls[0].call, memory_order_acquire);
    uint32_t at = 0;
    while (__builtin_expect((old & CALL_BUSY) != 0, 0)) {
        if (++at == CHUNK_CALLS)
            return false;
        old = atomic_load_explicit(&own->calls[at].call, memory_order_acquire);
    }
    held->call = CALL_BUSY | call_next_sequence(old) | (uint64_t)gate_epoch(gate) << 16 | target->number;
    held->in_lane = &own->calls[at];
    held->entry = own->first + at + 1;
    held->place = 0;
    held->started = 0;
    held->owner = serial;
    atomic_store_explicit(&own->calls[at].call, held->call, memory_order_release);
    return true;
}

/* True: the success is settled. False: nothing was done. */
static inline bool plain_success(const struct plain_target *target, const struct lane *lane, const struct held *held)
{
    uint64_t gate = atomic_load_explicit(&target->slot->gate, memory_order_acquire);
    uint64_t streak = atomic_load_explicit(&target->slot->streak, memory_order_relaxed);
    uint64_t commit = atomic_load_explicit(target->commit, memory_order_acquire);
    if (gate != gate_closed((uint16_t)(held->call >> 16)) || (streak & STREAK_MASK) != 0 ||
        (commit & PLAIN_EXCLUDES_SUCCESS) || (held->call & PLAIN_EXCLUDES_CALL) || held->started != 0 ||
        held->in_lane == NULL || held->owner != lane_serial(lane))
        return false;
    count_one(&target->stripes[(unsigned)cpu_here() & target->stripe_mask].successes);
    atomic_store_explicit(&held->in_lane->call, held->call & CALL_SEQUENCE_MASK << CALL_SEQUENCE_SHIFT,
                          memory_order_release);
    return true;
}

#endif
