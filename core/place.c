#include "core/place.h"

#include "core/lane.h"

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

static bool release(const struct segment *segment, uint32_t place, uint64_t holder)
{
    return place < segment->place_count &&
           atomic_load_explicit(&segment->places[place], memory_order_relaxed) == holder &&
           atomic_compare_exchange_strong_explicit(&segment->places[place], &holder, 0, memory_order_release,
                                                   memory_order_relaxed);
}

void place_release(const struct segment *segment, uint32_t place, uint32_t entry, uint64_t call)
{
    if (place != 0)
        release(segment, place - 1, holder_of(entry, call));
}

/* A call has one place at most, and began to look for it where its entry's number led. */
static bool release_in(const struct segment *segment, uint32_t first, uint32_t length, uint32_t entry, uint64_t call)
{
    uint64_t holder = holder_of(entry, call);
    for (uint32_t i = 0; i < length; i++)
        if (release(segment, first + (entry + i) % length, holder))
            return true;
    return false;
}

void place_release_of(const struct segment *segment, const struct policy_view *view, uint32_t entry, uint64_t call)
{
    if (!release_in(segment, view->place_first, view->place_length, entry, call))
        release_in(segment, view->past_first, view->past_length, entry, call);
}

/* Is `holder` the name of a call in flight on that slot? It wears it from before it takes its place until after it has
 * given it back. */
static bool holder_calls(const struct segment *segment, uint64_t holder, uint32_t slot)
{
    const uint64_t wanted = CALL_BUSY | CALL_PLACED;
    uint32_t entry = (uint32_t)holder - 1;
    if (entry / CHUNK_CALLS >= segment->chunk_count)
        return false;
    uint64_t call = atomic_load_explicit(&lane_call(segment, entry)->call, memory_order_acquire);
    return (call & wanted) == wanted && (call & 0xffff) == slot && holder_of(entry, call) == holder;
}

bool place_repair(const struct segment *segment, uint32_t place, uint32_t slot)
{
    uint64_t holder = atomic_load_explicit(&segment->places[place], memory_order_acquire);
    /* If the call has ended meanwhile, its place is another word by now. */
    return holder != 0 && !holder_calls(segment, holder, slot) && release(segment, place, holder);
}
