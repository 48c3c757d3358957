#include "core/window.h"

#define RING_LENGTH  (sizeof((struct slot *)0)->ring / sizeof(au32))
#define RING_VALID   1u
#define RING_FAILED  2u
#define RING_SLOW    4u
#define RING_ID_BITS 13

_Static_assert(RING_LENGTH >= POLICY_MAX_WINDOW, "every window fits its ring");

static uint32_t ring_tag(uint16_t epoch, uint32_t id)
{
    return (uint32_t)epoch << 16 | (id & ((1u << RING_ID_BITS) - 1)) << 3 | RING_VALID;
}

/* Each writer takes an index of its own, so no outcome is lost between processes; one that is killed before it fills
 * its entry leaves there the outcome of N calls ago. */
static void ring_record(struct slot *slot, struct window window, uint16_t epoch, bool failed, bool slow)
{
    uint64_t at = atomic_fetch_add_explicit(&slot->ring_head, 1, memory_order_relaxed) % window.size;
    uint32_t entry = ring_tag(epoch, window.id) | (failed ? RING_FAILED : 0) | (slow ? RING_SLOW : 0);
    atomic_store_explicit(&slot->ring[at], entry, memory_order_relaxed);
}

static struct window_sum ring_sum(const struct slot *slot, struct window window, uint16_t epoch)
{
    struct window_sum sum = {0};
    uint32_t tag = ring_tag(epoch, window.id);
    for (uint32_t i = 0; i < window.size; i++) {
        uint32_t entry = atomic_load_explicit(&slot->ring[i], memory_order_relaxed);
        if ((entry & ~(RING_FAILED | RING_SLOW)) != tag)
            continue;
        sum.calls++;
        sum.failures += (entry & RING_FAILED) != 0;
        sum.slow += (entry & RING_SLOW) != 0;
    }
    return sum;
}

static uint64_t period_of(struct window window, uint64_t now_ms)
{
    uint32_t length = window.size / WINDOW_PERIODS;
    return now_ms / (length ? length : 1);
}

static uint64_t period_tag(uint64_t period, uint16_t epoch)
{
    return (uint64_t)epoch << 48 | (period / WINDOW_PERIODS & 0xffff) << 32;
}

/* A word of an earlier lap or epoch is replaced, one of this lap grows: one compare-and-swap does either. */
static void period_add(au64 *word, uint64_t tag)
{
    uint64_t old = atomic_load_explicit(word, memory_order_relaxed), next;
    do {
        next = (old >> 32 == tag >> 32 ? old : tag) + 1;
    } while (!atomic_compare_exchange_weak_explicit(word, &old, next, memory_order_relaxed, memory_order_relaxed));
}

static uint64_t period_count(const au64 *word, uint64_t tag)
{
    uint64_t value = atomic_load_explicit(word, memory_order_relaxed);
    return value >> 32 == tag >> 32 ? value & UINT32_MAX : 0;
}

static void period_record(struct stripe *stripe, struct window window, uint16_t epoch, bool failed, bool slow,
                          uint64_t now_ms)
{
    uint64_t number = period_of(window, now_ms), tag = period_tag(number, epoch);
    struct period *period = &stripe->periods[number % WINDOW_PERIODS];
    period_add(&period->calls, tag);
    if (failed)
        period_add(&period->failures, tag);
    if (slow)
        period_add(&period->slow, tag);
}

static struct window_sum period_sum(const struct segment *segment, uint32_t slot, struct window window, uint16_t epoch,
                                    uint64_t now_ms)
{
    struct window_sum sum = {0};
    uint64_t newest = period_of(window, now_ms);
    for (uint32_t i = 0; i < WINDOW_PERIODS && i <= newest; i++) {
        uint64_t tag = period_tag(newest - i, epoch);
        for (uint32_t s = 0; s < segment->stripes; s++) {
            const struct period *period = &segment_stripe(segment, slot, s)->periods[(newest - i) % WINDOW_PERIODS];
            sum.calls += period_count(&period->calls, tag);
            sum.failures += period_count(&period->failures, tag);
            sum.slow += period_count(&period->slow, tag);
        }
    }
    return sum;
}

void window_record(struct slot *slot, struct stripe *stripe, struct window window, uint16_t epoch, bool failed,
                   bool slow, uint64_t now_ms)
{
    if (window.kind == WINDOW_COUNT && window.size - 1 < RING_LENGTH)
        ring_record(slot, window, epoch, failed, slow);
    else if (window.kind == WINDOW_TIME)
        period_record(stripe, window, epoch, failed, slow, now_ms);
}

struct window_sum window_sum(const struct segment *segment, uint32_t slot, struct window window, uint16_t epoch,
                             uint64_t now_ms)
{
    if (window.kind == WINDOW_COUNT && window.size - 1 < RING_LENGTH)
        return ring_sum(segment_slot(segment, slot), window, epoch);
    if (window.kind == WINDOW_TIME)
        return period_sum(segment, slot, window, epoch, now_ms);
    return (struct window_sum){0};
}
