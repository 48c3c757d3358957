#include "core/extent.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/control.h"
#include "core/fault.h"

struct extent {
    uint32_t first, length;
};

/* A block's extents: the one in use and the one before; how many there are. */
static size_t extents_of(const struct segment *segment, uint32_t slot, struct extent out[2])
{
    uint64_t commit;
    struct extent both[2];
    size_t count = 0;
    if (!control_used(&segment->controls[slot]) ||
        !control_load(&segment->controls[slot], offsetof(struct control_copy, place_first), sizeof both, both,
                      &commit) ||
        !(commit & TRAIT_USED))
        return 0;
    for (int i = 0; i < 2; i++)
        if (both[i].length > 0)
            out[count++] = both[i];
    return count;
}

_Static_assert(offsetof(struct control_copy, past_first) ==
                   offsetof(struct control_copy, place_first) + sizeof(struct extent),
               "both extents are read at once");

static int by_first(const void *left, const void *right)
{
    uint32_t a = ((const struct extent *)left)->first, b = ((const struct extent *)right)->first;
    return (a > b) - (a < b);
}

static size_t extents_sorted(const struct segment *segment, struct extent *out)
{
    size_t count = 0;
    for (uint32_t slot = 0; slot < segment->capacity; slot++)
        count += extents_of(segment, slot, &out[count]);
    qsort(out, count, sizeof *out, by_first);
    return count;
}

/* First fit between sorted extents; *widest is the widest gap seen. */
static bool gap_find(const struct extent *extents, size_t count, struct extent *gap, uint32_t end, uint32_t *widest)
{
    gap->first = *widest = 0;
    for (size_t i = 0; i <= count; i++) {
        uint32_t stop = i < count ? extents[i].first : end;
        uint32_t width = stop > gap->first ? stop - gap->first : 0;
        if (width >= gap->length)
            return true;
        *widest = width > *widest ? width : *widest;
        gap->first = i < count ? extents[i].first + extents[i].length : end;
    }
    return false;
}

static int extent_search(struct segment *segment, struct extent *wanted, char error[SEGMENT_ERROR_SIZE])
{
    struct extent *extents = calloc(2 * (size_t)segment->capacity + 2, sizeof *extents);
    uint32_t widest;
    if (extents == NULL)
        return fault(error, -ENOMEM, "no memory to look for bulkhead places");
    bool found = gap_find(extents, extents_sorted(segment, extents), wanted, segment->place_count, &widest);
    free(extents);
    if (found)
        return 0;
    return fault(error, -ENOSPC,
                 "max_concurrent=%u needs as many bulkhead places, "
                 "of the registry's %u at most %u are free together: lower a max_concurrent, or start registryd with a "
                 "larger --capacity",
                 (unsigned)wanted->length, (unsigned)segment->place_count, (unsigned)widest);
}

static void places_empty(struct segment *segment, uint32_t from, uint32_t to)
{
    for (uint32_t place = from; place < to; place++)
        atomic_store_explicit(&segment->places[place], 0, memory_order_relaxed);
}

bool extent_extend(struct segment *segment, uint32_t first, uint32_t old_length, uint32_t length)
{
    uint32_t *top = &segment->panel_rw->place_top;
    if (old_length == 0 || first + old_length != *top || length > segment->place_count - first)
        return false;
    places_empty(segment, first + old_length, first + length);
    *top = first + length;
    return true;
}

int extent_find(struct segment *segment, uint32_t length, uint32_t *first, char error[SEGMENT_ERROR_SIZE])
{
    uint32_t *top = &segment->panel_rw->place_top;
    struct extent wanted = {*top, length};
    /* Beyond the top all is free; only when that is used up are the gaps looked for. */
    if (*top > segment->place_count || length > segment->place_count - *top) {
        int result = extent_search(segment, &wanted, error);
        if (result != 0)
            return result;
    }
    if (wanted.first + length > *top)
        *top = wanted.first + length;
    places_empty(segment, wanted.first, wanted.first + length);
    *first = wanted.first;
    return 0;
}

void extent_recover(struct segment *segment)
{
    uint32_t top = 0;
    for (uint32_t slot = 0; slot < segment->capacity; slot++) {
        struct extent extents[2];
        size_t count = extents_of(segment, slot, extents);
        for (size_t i = 0; i < count; i++)
            if (extents[i].first + extents[i].length > top)
                top = extents[i].first + extents[i].length;
    }
    segment->panel_rw->place_top = top;
}
