/* Reading the panel: never a lock, never a store. */
#include "core/panel.h"

#include <stddef.h>

#include "core/control.h"
#include "core/index.h"

int64_t panel_find(const struct segment *segment, const char *name)
{
    struct index_hit hit;
    return index_find(segment, name, &hit) ? (int64_t)hit.slot : -1;
}

bool panel_read(const struct segment *segment, uint32_t slot, struct control_copy *out, uint64_t *commit)
{
    uint64_t word;
    if (slot >= segment->capacity || !control_used(&segment->controls[slot]) ||
        !control_load(&segment->controls[slot], 0, sizeof *out, out, &word) || !(word & TRAIT_USED))
        return false;
    if (commit != NULL)
        *commit = word;
    return true;
}

bool panel_policy(const struct segment *segment, uint32_t slot, struct policy_view *out)
{
    uint64_t commit;
    return slot < segment->capacity &&
           control_load(&segment->controls[slot], offsetof(struct control_copy, policy), sizeof *out, out, &commit) &&
           (commit & TRAIT_USED);
}

_Static_assert(sizeof(struct policy_view) ==
                   offsetof(struct control_copy, override) - offsetof(struct control_copy, policy),
               "a policy's view is a part of the block as it lies there");

void panel_policy_or_default(const struct segment *segment, uint32_t slot, struct policy_view *out)
{
    if (panel_policy(segment, slot, out))
        return;
    *out = (struct policy_view){0};
    policy_default(&out->policy);
}

uint32_t panel_traits(const struct policy *policy)
{
    uint32_t traits = TRAIT_USED;
    traits |= policy->timing == TIMING_COARSE ? TRAIT_TIMED_COARSE : 0;
    traits |= policy->timing == TIMING_PRECISE ? TRAIT_TIMED_PRECISE : 0;
    traits |= policy->call_timeout_ms > 0 ? TRAIT_CALL_TIMEOUT : 0;
    traits |= policy->max_concurrent > 0 ? TRAIT_LIMITED : 0;
    traits |= policy->window == WINDOW_COUNT ? TRAIT_WINDOW_COUNT : 0;
    traits |= policy->window == WINDOW_TIME ? TRAIT_WINDOW_TIME : 0;
    traits |= policy->slow_call_duration_ms > 0 ? TRAIT_SLOW : 0;
    return traits;
}
