#include "core/place.h"

static uint64_t holder_of(uint32_t entry, uint64_t call)
{
    return (call >> CALL_SEQUENCE_SHIFT & CALL_SEQUENCE_MASK) << 32 | (uint64_t)(entry + 1);
}

static bool is_taken(const struct segment *segment, uint32_t place)
{
    return atomic_load_explicit(&segment->places[place], memory_order_relaxed) != 0;
}

/* How many places from the first on may be claimed. All of max_concurrent, normally; after the limit was lowered, calls
 * may still hold places behind it, and then fewer, so that claims and holders together never exceed the limit. */
static uint32_t claimable(const struct segment *segment, const struct policy_view *view)
{
    uint32_t limit = view->policy.max_concurrent, behind = 0;
    if (limit >= view->place_length)
        return view->place_length;
    for (uint32_t i = limit; i < view->place_length; i++)
        behind += is_taken(segment, view->place_first + i);
    while (limit > 0 && limit + behind > view->policy.max_concurrent)
        behind += is_taken(segment, view->place_first + --limit);
    return limit;
}

static bool extent_valid(const struct segment *segment, const struct policy_view *view)
{
    return view->place_first <= segment->place_count && view->place_length <= segment->place_count - view->place_first;
}

uint32_t place_take(const struct segment *segment, const struct policy_view *view, uint32_t entry, uint64_t call)
{
    if (!extent_valid(segment, view))
        return 0;
    uint32_t count = claimable(segment, view);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = view->place_first + (entry + i) % count;
        uint64_t free_word = 0;
        if (!is_taken(segment, place) &&
            atomic_compare_exchange_strong_explicit(&segment->places[place], &free_word, holder_of(entry, call),
                                                    memory_order_acq_rel, memory_order_relaxed))
            return place + 1;
    }
    return 0;
}

void place_release(const struct segment *segment, uint32_t place, uint32_t entry, uint64_t call)
{
    uint64_t holder = holder_of(entry, call);
    if (place != 0 && place <= segment->place_count)
        atomic_compare_exchange_strong_explicit(&segment->places[place - 1], &holder, 0, memory_order_release,
                                                memory_order_relaxed);
}

void place_release_of(const struct segment *segment, const struct policy_view *view, uint32_t entry, uint64_t call)
{
    if (!extent_valid(segment, view))
        return;
    for (uint32_t i = 0; i < view->place_length; i++)
        place_release(segment, view->place_first + i + 1, entry, call);
}
