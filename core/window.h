/* Windows of recent outcomes: the last N exactly, or those of the last while. Each entry carries the epoch it belongs to,
 * so a transition or reset empties a window without touching it. */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include <stdbool.h>

#include "core/segment.h"

/* How a breaker's window is set up: from its policy. */
struct window {
    enum window_kind kind;
    uint32_t size; /* calls or milliseconds */
    uint32_t id;   /* count windows: entries of another id belong to an earlier set-up */
};

struct window_sum {
    uint64_t calls, failures, slow;
};

/* Before an outcome is counted: begin a new period of a time window, if one is due. */
void window_prepare(struct stripe *, struct window, uint16_t epoch, uint64_t now_ms);

#define WINDOW_UNTIL_MASK    ((UINT64_C(1) << 48) - 1)
#define WINDOW_MAX_PERIOD_MS (3600000 / WINDOW_PERIODS)

/* Does the period that began last still run? Then window_prepare() has nothing to do. */
static inline bool window_prepared(const struct stripe *stripe, uint16_t epoch, uint64_t now_ms)
{
    uint64_t until = atomic_load_explicit(&stripe->period_until, memory_order_relaxed);
    /* Also false for an end further off than any period is long: nobody of us wrote that. */
    return until >> 48 == epoch && (until & WINDOW_UNTIL_MASK) - now_ms - 1 < WINDOW_MAX_PERIOD_MS;
}
/* After it was counted. */
void window_record(struct slot *, struct stripe *, struct window, uint16_t epoch, bool failed, bool slow);

/* A stripe's successes of the kind that windows see. Never too few; for a moment too many by timed calls that ended
 * otherwise and are half counted, or were counted meanwhile: so a later reading may be less, by no more than this. */
uint64_t stripe_successes(const struct stripe *);
#define COUNTS_UNSETTLED (1u << 20)

/* The count window's entry for an outcome; see ring_record(). */
void window_ring_record(struct slot *, uint32_t size, uint32_t id, uint16_t epoch, bool failed, bool slow);

struct window_sum window_sum(const struct segment *, uint32_t slot, struct window, uint16_t epoch, uint64_t now_ms);

#endif
