/*
 * The processor's counter, for how long calls take. Where the kernel makes CLOCK_MONOTONIC of it, reading the counter
 * itself costs less than half: it need not wait for the instructions before it, and is turned into nanoseconds once a call
 * instead of twice. How long a tick is, the daemon measures (registryd/tickrate.h); who has no daemon does not know it.
 *
 * It is as good as CLOCK_MONOTONIC where that is made of it, but for a call that is under way while the machine sleeps:
 * the one stands still, the other does not. Where the kernel uses another source, as far as a living daemon sees it, no
 * tick is used.
 */
#ifndef CORE_TICKS_H
#define CORE_TICKS_H

#include <stdint.h>

/* How long a tick is: in 2^-32 ns, but for the lowest bit. Calls that were timed in ticks end so, used or not. */
#define TICK_USED UINT64_C(1) /* calls that begin may be timed in ticks */

#ifdef __x86_64__
#define TICKS_SOURCE "tsc" /* the kernel's name for it, as a source of its clocks */

static inline uint64_t ticks_now(void)
{
    return __builtin_ia32_rdtsc();
}
static inline uint64_t ticks_ns(uint64_t ticks, uint64_t tick)
{
    __extension__ typedef unsigned __int128 product;
    return (uint64_t)((product)ticks * (tick & ~TICK_USED) >> 32);
}
#else
#define TICKS_SOURCE "none"

static inline uint64_t ticks_now(void)
{
    return 0;
}
static inline uint64_t ticks_ns(uint64_t ticks, uint64_t tick)
{
    (void)ticks;
    (void)tick;
    return 0;
}
#endif

#endif
