/* The panel's contents: names, policies, overrides. Readers never lock; every writer takes robust mutexes. */
#ifndef CORE_PANEL_H
#define CORE_PANEL_H

#include "core/segment.h"

/* ---- reading (anybody) ---- */

/* The slot of `name`, or -1. Hash lookup in the index, each hit checked against the committed block. */
int64_t panel_find(const struct segment *, const char *name);

/* A consistent copy of a slot's committed block: true; false if the slot is free (or, after bounded retries, cannot be
 * read). `commit` (may be NULL): the word it belongs to. */
bool panel_read(const struct segment *, uint32_t slot, struct control_copy *out, uint64_t *commit);
/* Only the policy (and place extent, window id) are wanted on the failure path: the same, less to copy. */
struct policy_view {
    struct policy policy;
    uint32_t place_first, place_length, past_first, past_length, window_id, creator_uid;
};
bool panel_policy(const struct segment *, uint32_t slot, struct policy_view *out);

/* The same for whoever must go on in any case: the default policy, without places, where it cannot be read. */
void panel_policy_or_default(const struct segment *, uint32_t slot, struct policy_view *out);

static inline uint64_t panel_commit(const struct segment *segment, uint32_t slot)
{
    return atomic_load_explicit(&segment->controls[slot].commit, memory_order_acquire);
}
static inline uint16_t commit_incarnation(uint64_t commit)
{
    return (uint16_t)(commit >> 16);
}

/* ---- writing (segment->panel_rw must be set) ---- */

/* Take a robust mutex: the one function through which all locking goes. 0, or -EOWNERDEAD: taken, and its last holder
 * died; any other negative value: not taken. With two copies and a commit word there is nothing to repair in a block: what was not
 * committed never happened. Under the header's mutex the index is rebuilt from the blocks before this returns. */
int panel_lock(struct segment *, pthread_mutex_t *);

enum panel_result { PANEL_CREATED, PANEL_FOUND };
/* Get or create. 0/1: enum panel_result; -ENOSPC: full; `error` says so. The new breaker's gate is closed in an epoch
 * that no permit of the slot's earlier breaker has; its counts start at 0. */
int panel_create(struct segment *, const char *name, const struct policy *, uint32_t uid, uint32_t *slot,
                 char error[SEGMENT_ERROR_SIZE]);
/* Change the policy; -ENOSPC: not enough bulkhead places; -EBUSY: max_concurrent was raised before, and calls from before
 * that still hold their places. The gate keeps its state. */
int panel_set_policy(struct segment *, uint32_t slot, const struct policy *, char error[SEGMENT_ERROR_SIZE]);
/* Write the override down (the gate is the caller's to step, see call.h). */
int panel_set_override(struct segment *, uint32_t slot, const struct override *);
int panel_remove(struct segment *, uint32_t slot);
/* After a restart: index and place extents from the blocks. Returns how many breakers there are. */
uint32_t panel_recover(struct segment *);

uint32_t panel_traits(const struct policy *); /* the traits part of a commit word, TRAIT_USED included */
uint32_t panel_hash(const char *name);

#endif
