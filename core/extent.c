#include "core/extent.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/control.h"
#include "core/fault.h"

struct extent {
    uint32_t first, length;
};

static bool extent_of(const struct segment *segment, uint32_t slot, struct extent *out)
{
    uint64_t commit;
    return control_used(&segment->controls[slot]) &&
           control_load(&segment->controls[slot], offsetof(struct control_copy, place_first), sizeof *out, out,
                        &commit) &&
           (commit & TRAIT_USED) && out->length > 0;
}

static int by_first(const void *left, const void *right)
{
    uint32_t a = ((const struct extent *)left)->first, b = ((const struct extent *)right)->first;
    return (a > b) - (a < b);
}

static size_t extents_sorted(const struct segment *segment, struct extent *out)
{
    size_t count = 0;
    for (uint32_t slot = 0; slot < segment->capacity; slot++)
        count += extent_of(segment, slot, &out[count]);
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
    struct extent *extents = calloc((size_t)segment->capacity + 1, sizeof *extents);
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
    for (uint32_t place = 0; place < length; place++)
        atomic_store_explicit(&segment->places[wanted.first + place], 0, memory_order_relaxed);
    *first = wanted.first;
    return 0;
}

void extent_recover(struct segment *segment)
{
    struct extent extent;
    uint32_t top = 0;
    for (uint32_t slot = 0; slot < segment->capacity; slot++)
        if (extent_of(segment, slot, &extent) && extent.first + extent.length > top)
            top = extent.first + extent.length;
    segment->panel_rw->place_top = top;
}
