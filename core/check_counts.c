/* Damage to what is counted for a breaker, and to its places. */
#include "core/check.h"
#include "core/lane.h"
#include "core/panel.h"
#include "core/place.h"
#include "core/window.h"

#define COUNT_BITS 52 /* a call every 100 ns on one CPU takes 14 years to get there */

/* Counters are 0 again where they are beyond all counting; what is wrong but small cannot be told from right. */
static bool words_repair(au64 *words, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = atomic_load_explicit(&words[i], memory_order_relaxed);
        if (value >> COUNT_BITS)
            found |= atomic_compare_exchange_strong(&words[i], &value, 0);
    }
    return found;
}

/* Its difference with the latencies is what counts. */
static bool difference_repair(struct stripe *stripe)
{
    uint64_t otherwise = atomic_load_explicit(&stripe->timed_otherwise, memory_order_relaxed);
    return stripe_successes(stripe) >> COUNT_BITS != 0 &&
           atomic_compare_exchange_strong(&stripe->timed_otherwise, &otherwise, 0);
}

static bool stripe_repair(struct stripe *stripe)
{
    bool found = words_repair(&stripe->successes, 1);
    found |= words_repair(&stripe->other_successes, 4);
    found |= words_repair(&stripe->failures, 6);
    found |= words_repair(stripe->latency, LATENCY_BUCKETS);
    return difference_repair(stripe) || found;
}

_Static_assert(offsetof(struct stripe, window_slow) - offsetof(struct stripe, other_successes) == 3 * sizeof(au64) &&
                   offsetof(struct stripe, rejected_concurrency) - offsetof(struct stripe, failures) ==
                       5 * sizeof(au64),
               "counters that are checked in one go");

static bool places_repair(const struct segment *segment, uint32_t first, uint32_t length, uint32_t slot)
{
    bool found = false;
    for (uint32_t i = 0; i < length && first + i < segment->place_count; i++)
        found |= place_repair(segment, first + i, slot);
    return found;
}

unsigned check_counts(const struct segment *segment, uint32_t number)
{
    struct slot *slot = segment_slot(segment, number);
    struct policy_view view;
    if (!(panel_commit(segment, number) & TRAIT_USED) || !panel_policy(segment, number, &view))
        return 0;
    bool counts = words_repair(&slot->abandoned, 1);
    counts |= words_repair(&slot->overdue, 1);
    for (uint32_t i = 0; i < segment->stripes; i++)
        counts |= stripe_repair(segment_stripe(segment, number, i));
    bool places = places_repair(segment, view.place_first, view.place_length, number);
    places |= places_repair(segment, view.past_first, view.past_length, number);
    return (counts ? DAMAGE_COUNTS : 0) | (places ? DAMAGE_PLACES : 0);
}
