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
#include "core/clock.h"
#include "core/counters.h"
#include "core/window.h"

/* Where a breaker's words are. */
struct plain_target {
    const struct control *control;
    const au64 *tick; /* how long one is */
    struct slot *slot;
    struct stripe *stripes;
    uint32_t stripe_mask;
    uint32_t number;
};

static inline struct plain_target plain_target(const struct segment *segment, uint32_t slot)
{
    return (struct plain_target){
        .control = &segment->controls[slot],
        .tick = &segment->panel->tick,
        .slot = segment_slot(segment, slot),
        .stripes = segment_stripe(segment, slot, 0),
        .stripe_mask = segment->stripes - 1,
        .number = slot,
    };
}

/* The length of a tick, which the daemon measures. */
static inline uint64_t plain_tick(const struct plain_target *target)
{
    return atomic_load_explicit(target->tick, memory_order_relaxed);
}

#define PLAIN_EXCLUDES_ACQUIRE (TRAIT_CALL_TIMEOUT | TRAIT_LIMITED)

static inline bool plain_admits(const struct plain_target *target)
{
    return gate_state(atomic_load_explicit(&target->slot->gate, memory_order_acquire)) == STATE_CLOSED;
}

/* True: admitted, *held is filled. `started`: see clock_started(); 0: not timed. False: nothing was done. */
static inline bool plain_acquire(const struct plain_target *target, const struct lane *lane, uint64_t commit,
                                 uint64_t started, struct held *held)
{
    const struct ownership *own = &lane_ownership[0];
    uint64_t gate = atomic_load_explicit(&target->slot->gate, memory_order_acquire);
    uint64_t serial = lane_serial(lane);
    if (gate_state(gate) != STATE_CLOSED || (commit & PLAIN_EXCLUDES_ACQUIRE) || ~own->key != serial)
        return false;
    uint64_t old;
    uint32_t at = ownership_free_entry(own, &old);
    if (__builtin_expect(at == CHUNK_CALLS, 0))
        return false;
    held->call = CALL_BUSY | call_next_sequence(old) | (uint64_t)gate_epoch(gate) << 16 | target->number;
    held->in_lane = &own->calls[at];
    held->entry = own->first + at + 1;
    held->place = 0;
    held->started = started;
    held->owner = serial;
    atomic_store_explicit(&own->calls[at].call, held->call, memory_order_release);
    return true;
}

/* True: rejected, and counted. False: nothing was done. */
static inline bool plain_reject(const struct plain_target *target)
{
    uint64_t gate = atomic_load_explicit(&target->slot->gate, memory_order_acquire);
    if (gate_state(gate) == STATE_CLOSED || !gate_keeps_out(gate, clock_coarse_ms()))
        return false;
    count_one(&target->stripes[(unsigned)cpu_here() & target->stripe_mask].rejected_open);
    return true;
}

/* A count window's entry: its set-up is read where it lies, and the commit word again behind it. */
static inline bool plain_ring(const struct plain_target *target, uint64_t commit, uint16_t epoch)
{
    const struct control_copy *copy = &target->control->copy[commit & 1];
    uint32_t size = __atomic_load_n(&copy->policy.window_size, __ATOMIC_ACQUIRE);
    uint32_t id = __atomic_load_n(&copy->window_id, __ATOMIC_ACQUIRE);
    if (size - 1 >= POLICY_MAX_WINDOW || atomic_load_explicit(&target->control->commit, memory_order_relaxed) != commit)
        return false;
    window_ring_record(target->slot, size, id, epoch, false, false);
    return true;
}

/* Its window's part of a success; false: more is to be done than that. */
static inline bool plain_window(const struct plain_target *target, const struct stripe *stripe, uint64_t commit,
                                uint16_t epoch)
{
    if (commit & TRAIT_WINDOW_TIME)
        return window_prepared(stripe, epoch, clock_coarse_ms());
    return !(commit & TRAIT_WINDOW_COUNT) || plain_ring(target, commit, epoch);
}

/* A call that was timed: its latency's counter is also its success's. False: it was slow. */
static inline au64 *plain_counter(const struct plain_target *target, struct stripe *stripe, uint64_t commit,
                                  uint64_t started)
{
    const struct control_copy *copy = &target->control->copy[commit & 1];
    uint64_t took = clock_took_ns(commit, plain_tick(target), started);
    uint64_t slow_ms = __atomic_load_n(&copy->policy.slow_call_duration_ms, __ATOMIC_ACQUIRE);
    if (!(commit & TRAITS_TIMED) || ((commit & TRAIT_SLOW) && took >= slow_ms * 1000000u) ||
        atomic_load_explicit(&target->control->commit, memory_order_relaxed) != commit)
        return NULL;
    return &stripe->latency[latency_bucket(took)];
}

/* Does a success of this call change nothing but a count? */
static inline bool plain_counts(const struct plain_target *target, const struct lane *lane, const struct held *held,
                                uint64_t commit)
{
    uint64_t gate = atomic_load_explicit(&target->slot->gate, memory_order_acquire);
    uint64_t streak = atomic_load_explicit(&target->slot->streak, memory_order_relaxed);
    return gate == gate_closed((uint16_t)(held->call >> 16)) && (streak & STREAK_MASK) == 0 && (commit & TRAIT_USED) &&
           !(held->call & CALL_SPECIAL) && held->in_lane != NULL && held->owner == lane_serial(lane);
}

static inline void plain_end(au64 *counter, const struct held *held)
{
    count_one(counter);
    atomic_store_explicit(&held->in_lane->call, call_freed(held->call), memory_order_release);
}

/* True: the success is settled. False: nothing was done. */
static inline bool plain_success(const struct plain_target *target, const struct lane *lane, const struct held *held)
{
    uint64_t commit = atomic_load_explicit(&target->control->commit, memory_order_acquire);
    if (held->started != 0 || (commit & (TRAIT_WINDOW_COUNT | TRAIT_WINDOW_TIME)) ||
        !plain_counts(target, lane, held, commit))
        return false;
    plain_end(&target->stripes[(unsigned)cpu_here() & target->stripe_mask].successes, held);
    return true;
}

/* The same with a window, or timed. Apart, because what it keeps in registers would cost every success. */
static inline bool plain_success_measured(const struct plain_target *target, const struct lane *lane,
                                          const struct held *held)
{
    uint64_t commit = atomic_load_explicit(&target->control->commit, memory_order_acquire);
    if (!plain_counts(target, lane, held, commit))
        return false;
    struct stripe *stripe = &target->stripes[(unsigned)cpu_here() & target->stripe_mask];
    au64 *counter = &stripe->successes;
    if (held->started != 0)
        counter = plain_counter(target, stripe, commit, held->started);
    if (!counter || ((commit & (TRAIT_WINDOW_COUNT | TRAIT_WINDOW_TIME)) &&
                     !plain_window(target, stripe, commit, (uint16_t)(held->call >> 16))))
        return false;
    plain_end(counter, held);
    return true;
}

#endif
