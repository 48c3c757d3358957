/* Counters: striped by CPU, so that processes on different cores share no cache line. */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include "core/segment.h"
#include "core/words.h"

/* The stripe of the CPU that this thread runs on; it may be another one a moment later, which only costs time. */
unsigned stripe_here(const struct segment *);

static inline void count_one(au64 *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void count_rejection(struct stripe *, enum breaker_answer);
void count_outcome(struct slot *, struct stripe *, enum outcome);
void count_latency(struct stripe *, uint64_t took_ns);

/* Two buckets an octave from 1 us up; the bound is the bucket's upper end in nanoseconds. */
unsigned latency_bucket(uint64_t took_ns);
uint64_t latency_bound(unsigned bucket);

#endif
