/* Time as the call path sees it. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <time.h>

#include "core/segment.h"

static inline uint64_t clock_read_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The same in milliseconds: seconds and nanoseconds are turned into them side by side, not one after the other. */
static inline uint64_t clock_read_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint32_t)t.tv_nsec / 1000000u;
}

/* The clock that calls are timed with, by the breaker's traits. */
static inline uint64_t clock_timing_ns(uint64_t commit)
{
    return clock_read_ns(commit & TRAIT_TIMED_PRECISE ? CLOCK_MONOTONIC : CLOCK_MONOTONIC_COARSE);
}

/* The gate's clock: the kernel's tick. All processes read the same one, so a deadline is never early. */
static inline uint64_t segment_now_ms(const struct segment *segment)
{
    if (segment->virtual_ms)
        return *segment->virtual_ms;
    return clock_read_ms(CLOCK_MONOTONIC_COARSE);
}

#endif
