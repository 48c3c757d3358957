#include "core/index.h"

#include "core/control.h"
#include "core/panel.h"

#define EMPTY 0

uint32_t panel_hash(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

static uint32_t entry_load(const struct segment *segment, uint32_t position)
{
    return atomic_load_explicit(&segment->index[position], memory_order_acquire);
}

static void entry_store(struct segment *segment, uint32_t position, uint32_t entry)
{
    /* Release: who finds the entry finds the block that was committed before it. */
    atomic_store_explicit((au32 *)&segment->index[position], entry, memory_order_release);
}

bool index_find(const struct segment *segment, const char *name, struct index_hit *out)
{
    uint32_t mask = segment->index_length - 1, first = panel_hash(name) & mask;
    for (uint32_t step = 0; step <= mask; step++) {
        uint32_t position = (first + step) & mask, entry = entry_load(segment, position);
        if (entry == EMPTY)
            return false;
        if (entry <= segment->capacity && control_is(&segment->controls[entry - 1], name)) {
            *out = (struct index_hit){position, entry - 1};
            return true;
        }
    }
    return false;
}

void index_insert(struct segment *segment, const char *name, uint32_t slot)
{
    uint32_t mask = segment->index_length - 1, position = panel_hash(name) & mask, entry;
    /* The index is at least twice as long as there are slots: an empty entry or a tomb is always met. */
    while ((entry = entry_load(segment, position)) != EMPTY && entry != INDEX_TOMB)
        position = (position + 1) & mask;
    entry_store(segment, position, slot + 1);
}

/* Tombs that lie before an empty entry mark nothing any more: without this, searches would grow with every removal. */
static void bury(struct segment *segment, uint32_t position)
{
    uint32_t mask = segment->index_length - 1;
    if (entry_load(segment, (position + 1) & mask) != EMPTY)
        return;
    for (; entry_load(segment, position) == INDEX_TOMB; position = (position - 1) & mask)
        entry_store(segment, position, EMPTY);
}

void index_remove(struct segment *segment, uint32_t position)
{
    entry_store(segment, position, INDEX_TOMB);
    bury(segment, position);
}

/* Does the entry lead to a breaker whose name is found through it? */
static bool entry_right(const struct segment *segment, uint32_t position)
{
    uint32_t entry = entry_load(segment, position);
    struct control_copy copy;
    struct index_hit hit;
    return entry <= segment->capacity && panel_read(segment, entry - 1, &copy, NULL) &&
           index_find(segment, copy.name, &hit) && hit.position == position;
}

static void drop_wrong(struct segment *segment)
{
    for (uint32_t position = 0; position < segment->index_length; position++)
        if (entry_load(segment, position) != EMPTY && !entry_right(segment, position))
            entry_store(segment, position, INDEX_TOMB);
}

static void add_missing(struct segment *segment)
{
    struct control_copy copy;
    struct index_hit hit;
    for (uint32_t slot = 0; slot < segment->capacity; slot++)
        if (panel_read(segment, slot, &copy, NULL) && !index_find(segment, copy.name, &hit))
            index_insert(segment, copy.name, slot);
}

void index_repair(struct segment *segment)
{
    drop_wrong(segment);
    add_missing(segment);
    for (uint32_t position = segment->index_length; position-- > 0;)
        bury(segment, position);
}
