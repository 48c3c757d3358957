/* Counters: striped by CPU, so that processes on different cores share no cache line. */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include <sched.h>
#include <stdbool.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#include "core/segment.h"
#include "core/words.h"

#if __has_include(<sys/rseq.h>) && (defined(__x86_64__) || defined(__aarch64__))
/* The kernel keeps the CPU's number in the thread's rseq area, which libc has registered: one load, no call. */
static inline int cpu_here(void)
{
    char *thread;
#ifdef __x86_64__
    __asm__("mov %%fs:0, %0" : "=r"(thread));
#else
    __asm__("mrs %0, tpidr_el0" : "=r"(thread));
#endif
    const struct rseq *area = (const struct rseq *)(const void *)(thread + __rseq_offset);
    int cpu = (int)__atomic_load_n(&area->cpu_id, __ATOMIC_RELAXED);
    return __builtin_expect(cpu >= 0, 1) ? cpu : sched_getcpu();
}
#else
static inline int cpu_here(void)
{
    return sched_getcpu();
}
#endif

/* The stripe of the CPU that this thread runs on; it may be another one a moment later, which only costs time. */
static inline unsigned stripe_here(const struct segment *segment)
{
    return (unsigned)cpu_here() & (segment->stripes - 1); /* a power of two */
}

static inline void count_one(au64 *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void count_rejection(struct stripe *, enum breaker_answer);
/* `timed`: took_ns is known. `windowed`: the call belongs to the closed epoch in which it ends. */
void count_outcome(struct slot *, struct stripe *, enum outcome, bool windowed, bool timed, uint64_t took_ns);

#define LATENCY_FIRST_OCTAVE 10 /* 2^10 ns: the first bucket holds everything below about 1 us */

/* Two buckets an octave from 1 us up. */
static inline unsigned latency_bucket(uint64_t took_ns)
{
    if (took_ns < UINT64_C(1) << LATENCY_FIRST_OCTAVE)
        return 0;
    unsigned octave = 63 - (unsigned)__builtin_clzll(took_ns);
    unsigned half = (unsigned)(took_ns >> (octave - 1)) & 1;
    unsigned bucket = 1 + (octave - LATENCY_FIRST_OCTAVE) * 2 + half;
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* A bucket's upper end in nanoseconds. */
uint64_t latency_bound(unsigned bucket);

#endif
