#include "core/place.h"

static uint64_t holder_of(uint32_t entry, uint64_t call)
{
    return (call >> CALL_SEQUENCE_SHIFT & CALL_SEQUENCE_MASK) << 32 | (uint64_t)(entry + 1);
}

static bool is_taken(const struct segment *segment, uint32_t place)
{
    return atomic_load_explicit(&segment->places[place], memory_order_relaxed) != 0;
}

static bool extent_valid(const struct segment *segment, uint32_t first, uint32_t length)
{
    return first <= segment->place_count && length <= segment->place_count - first;
}

static uint32_t count_taken(const struct segment *segment, uint32_t first, uint32_t length)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; extent_valid(segment, first, length) && i < length; i++)
        taken += is_taken(segment, first + i);
    return taken;
}

uint32_t place_count_taken(const struct segment *segment, const struct policy_view *view)
{
    return count_taken(segment, view->place_first, view->place_length) +
           count_taken(segment, view->past_first, view->past_length);
}

/* How many places from the first on may be claimed. All of max_concurrent, normally; after the limit was changed, calls
 * may still hold places behind it or in the extent before, and then fewer, so that claims and holders together never
 * exceed the limit. */
static uint32_t claimable(const struct segment *segment, const struct policy_view *view)
{
    uint32_t most = view->policy.max_concurrent;
    uint32_t limit = most < view->place_length ? most : view->place_length;
    uint32_t behind = count_taken(segment, view->place_first + limit, view->place_length - limit) +
                      count_taken(segment, view->past_first, view->past_length);
    while (limit > 0 && limit + behind > most)
        behind += is_taken(segment, view->place_first + --limit);
    return limit;
}

uint32_t place_take(const struct segment *segment, const struct policy_view *view, uint32_t entry, uint64_t call)
{
    if (!extent_valid(segment, view->place_first, view->place_length))
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
    for (uint32_t i = 0; i < view->place_length; i++)
        place_release(segment, view->place_first + i + 1, entry, call);
    for (uint32_t i = 0; i < view->past_length; i++)
        place_release(segment, view->past_first + i + 1, entry, call);
}
