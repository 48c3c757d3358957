/* Time as the call path sees it. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <time.h>

#include "core/segment.h"
#include "core/ticks.h"

static inline uint64_t clock_ns(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}
static inline uint64_t clock_read_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return clock_ns(&t);
}

/* The same in milliseconds: seconds and nanoseconds are turned into them side by side, not one after the other. */
static inline uint64_t clock_ms(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * 1000u + (uint32_t)t->tv_nsec / 1000000u;
}
static inline uint64_t clock_read_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return clock_ms(&t);
}

/* What clock_gettime() itself calls, or that: a third of what reading the coarse clock costs is the way through libc. */
typedef int clock_reader(clockid_t, struct timespec *);
extern clock_reader *clock_reader_direct;

/* The gate's clock: the kernel's tick. All processes read the same one, so a deadline is never early. */
static inline uint64_t clock_coarse_ms(void)
{
    struct timespec t;
    clock_reader_direct(CLOCK_MONOTONIC_COARSE, &t);
    return clock_ms(&t);
}
static inline uint64_t segment_now_ms(const struct segment *segment)
{
    return segment->virtual_ms ? *segment->virtual_ms : clock_coarse_ms();
}

/* How long a tick is, as the daemon has measured. */
static inline uint64_t segment_tick(const struct segment *segment)
{
    return atomic_load_explicit(&segment->panel->tick, memory_order_relaxed);
}

/* When a call began that is timed, by its breaker's traits: ticks if it is odd, else nanoseconds; never 0. `tick`: how
 * long a tick is, as the registry has it. */
#define STARTED_TICKS UINT64_C(1)

static inline uint64_t clock_timing_ns(uint64_t commit)
{
    struct timespec t;
    clock_reader_direct(commit & TRAIT_TIMED_PRECISE ? CLOCK_MONOTONIC : CLOCK_MONOTONIC_COARSE, &t);
    return clock_ns(&t);
}

static inline uint64_t clock_started(uint64_t commit, uint64_t tick)
{
    if ((commit & TRAIT_TIMED_PRECISE) && (tick & TICK_USED))
        return ticks_now() | STARTED_TICKS;
    return clock_timing_ns(commit) & ~STARTED_TICKS;
}

/* How long ago that is, in nanoseconds. */
static inline uint64_t clock_took_ns(uint64_t commit, uint64_t tick, uint64_t started)
{
    bool by_ticks = started & STARTED_TICKS;
    uint64_t now = by_ticks ? ticks_now() : clock_timing_ns(commit), gone = now > started ? now - started : 0;
    return by_ticks ? ticks_ns(gone, tick) : gone;
}

#endif
