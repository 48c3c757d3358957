#include "core/window.h"

#include "core/counters.h"

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
void window_ring_record(struct slot *slot, uint32_t size, uint32_t id, uint16_t epoch, bool failed, bool slow)
{
    uint64_t at = atomic_fetch_add_explicit(&slot->ring_head, 1, memory_order_relaxed) % size;
    uint32_t entry = ring_tag(epoch, id) | (failed ? RING_FAILED : 0) | (slow ? RING_SLOW : 0);
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

static uint64_t period_length(struct window window)
{
    return window.size >= WINDOW_PERIODS ? window.size / WINDOW_PERIODS : 1;
}

static uint64_t period_tag(uint64_t period, uint16_t epoch)
{
    return (uint64_t)epoch << 48 | (period / WINDOW_PERIODS & 0xffff) << 32;
}

static uint64_t load(const au64 *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

uint64_t stripe_successes(const struct stripe *stripe)
{
    /* Subtracted first, so that a call between the two shows as one too many rather than as a huge number. */
    uint64_t sum = load(&stripe->successes) - atomic_load_explicit(&stripe->timed_otherwise, memory_order_acquire);
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        sum += load(&stripe->latency[i]);
    return sum;
}

/* Of all who begin the same period, one writes; one that is killed half way leaves the rest to the next. */
static void snapshot(au64 *word, uint64_t tag, uint64_t count)
{
    uint64_t old = load(word);
    if (old >> 32 != tag >> 32)
        atomic_compare_exchange_strong_explicit(word, &old, tag | (uint32_t)count, memory_order_relaxed,
                                                memory_order_relaxed);
}

void window_prepare(struct stripe *stripe, struct window window, uint16_t epoch, uint64_t now_ms)
{
    if (window.kind != WINDOW_TIME || window_prepared(stripe, epoch, now_ms))
        return;
    uint64_t number = now_ms / period_length(window), tag = period_tag(number, epoch);
    struct period *period = &stripe->periods[number % WINDOW_PERIODS];
    snapshot(&period->failures, tag, load(&stripe->window_failures));
    snapshot(&period->slow, tag, load(&stripe->window_slow));
    snapshot(&period->successes, tag, stripe_successes(stripe));
    /* Last, so that the snapshots are there when others find the period begun. */
    uint64_t until = (number + 1) * period_length(window);
    atomic_store_explicit(&stripe->period_until, (uint64_t)epoch << 48 | (until & WINDOW_UNTIL_MASK),
                          memory_order_release);
}

/* How much a count has grown since the snapshot, if that is the period's: true. Successes may have shrunk: the snapshot
 * saw calls that were half counted. */
static bool grown_since(const au64 *word, uint64_t tag, uint64_t count, uint64_t *grown)
{
    uint64_t then = load(word);
    if (then >> 32 != tag >> 32)
        return false;
    uint32_t more = (uint32_t)(count - then);
    *grown += more > UINT32_MAX - COUNTS_UNSETTLED ? 0 : more;
    return true;
}

/* From the oldest period that the window still covers and in which there were calls. */
static void period_add(const struct stripe *stripe, uint64_t newest, uint16_t epoch, struct window_sum *sum)
{
    uint64_t first = newest >= WINDOW_PERIODS ? newest - (WINDOW_PERIODS - 1) : 0;
    for (uint64_t number = first; number <= newest; number++) {
        const struct period *period = &stripe->periods[number % WINDOW_PERIODS];
        uint64_t tag = period_tag(number, epoch), successes = 0, failures = 0;
        if (!grown_since(&period->successes, tag, stripe_successes(stripe), &successes))
            continue;
        grown_since(&period->failures, tag, load(&stripe->window_failures), &failures);
        grown_since(&period->slow, tag, load(&stripe->window_slow), &sum->slow);
        sum->calls += successes + failures;
        sum->failures += failures;
        return;
    }
}

static struct window_sum period_sum(const struct segment *segment, uint32_t slot, struct window window, uint16_t epoch,
                                    uint64_t now_ms)
{
    struct window_sum sum = {0};
    for (uint32_t i = 0; i < segment->stripes; i++)
        period_add(segment_stripe(segment, slot, i), now_ms / period_length(window), epoch, &sum);
    return sum;
}

void window_record(struct slot *slot, struct stripe *stripe, struct window window, uint16_t epoch, bool failed,
                   bool slow)
{
    if (window.kind == WINDOW_COUNT && window.size - 1 < RING_LENGTH)
        window_ring_record(slot, window.size, window.id, epoch, failed, slow);
    if (window.kind == WINDOW_TIME && failed)
        count_one(&stripe->window_failures);
    if (window.kind == WINDOW_TIME && slow)
        count_one(&stripe->window_slow);
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
