#include "core/control.h"

#include <stddef.h>
#include <string.h>

#include "core/copy.h"
#include "core/panel.h"

#define READ_ATTEMPTS 100

bool control_load(const struct control *control, size_t offset, size_t size, void *out, uint64_t *commit)
{
    for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        *commit = atomic_load_explicit(&control->commit, memory_order_acquire);
        words_load(out, (const char *)&control->copy[*commit & 1] + offset, size);
        if (atomic_load_explicit(&control->commit, memory_order_relaxed) == *commit)
            return true;
    }
    return false;
}

static uint64_t next_commit(uint64_t commit, const struct control_copy *next)
{
    uint64_t version = (uint32_t)(commit >> 32) + UINT64_C(1);
    uint64_t traits = next->used ? panel_traits(&next->policy) : 0;
    return version << 32 | (uint64_t)(next->incarnation & 0xffff) << 16 | traits | (~commit & 1);
}

void control_store(struct control *control, const struct control_copy *next)
{
    /* Nobody else writes under the mutex, so the word cannot change between this load and the store. */
    uint64_t commit = next_commit(atomic_load_explicit(&control->commit, memory_order_relaxed), next);
    words_store(&control->copy[commit & 1], next, sizeof *next);
    /* Pairs with the acquire in control_load() and panel_commit(). */
    atomic_store_explicit(&control->commit, commit, memory_order_release);
}

bool control_used(const struct control *control)
{
    return atomic_load_explicit(&control->commit, memory_order_acquire) & TRAIT_USED;
}

bool control_is(const struct control *control, const char *name)
{
    char found[NAME_SIZE];
    uint64_t commit;
    return control_load(control, offsetof(struct control_copy, name), sizeof found, found, &commit) &&
           (commit & TRAIT_USED) && strncmp(found, name, sizeof found) == 0;
}

struct control *control_of(struct segment *segment, uint32_t slot)
{
    return (struct control *)&segment->controls[slot]; /* const only for those who map the panel read-only */
}

_Static_assert(offsetof(struct control_copy, name) % 8 == 0 && offsetof(struct control_copy, policy) % 8 == 0 &&
                   offsetof(struct control_copy, place_first) % 8 == 0 && sizeof(struct control_copy) % 8 == 0,
               "copied in words");
