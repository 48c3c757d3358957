/*
 * Writing the panel. Lock order: the header's mutex (index, free slots, place extents), then one block's. Whatever a
 * writer leaves behind when it dies under them, the next one to take the header's mutex puts right from the blocks.
 */
#include "core/panel.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/clock.h"
#include "core/control.h"
#include "core/extent.h"
#include "core/fault.h"
#include "core/gate.h"
#include "core/index.h"

#define SLOT_NONE UINT32_MAX

int panel_lock(struct segment *segment, pthread_mutex_t *mutex)
{
    int result = pthread_mutex_lock(mutex);
    if (result != EOWNERDEAD)
        return -result;
    if (mutex == &segment->panel_rw->mutex) {
        index_repair(segment);
        extent_recover(segment);
    }
    /* Only now: if we die before this, the next one repairs again. */
    pthread_mutex_consistent(mutex);
    return -EOWNERDEAD;
}

static int take(struct segment *segment, pthread_mutex_t *mutex)
{
    int result = panel_lock(segment, mutex);
    return result == -EOWNERDEAD ? 0 : result;
}

static int take_header(struct segment *segment)
{
    return take(segment, &segment->panel_rw->mutex);
}

static void leave_header(struct segment *segment)
{
    pthread_mutex_unlock(&segment->panel_rw->mutex);
}

/* Commit *next to a block, under its mutex. */
static int block_commit(struct segment *segment, uint32_t slot, const struct control_copy *next)
{
    struct control *control = control_of(segment, slot);
    int result = take(segment, &control->mutex);
    if (result != 0)
        return result;
    control_store(control, next);
    pthread_mutex_unlock(&control->mutex);
    return 0;
}

/* The committed copy of a free block too: its incarnation and window id go on. */
static void block_read(struct segment *segment, uint32_t slot, struct control_copy *out)
{
    uint64_t commit;
    if (!control_load(&segment->controls[slot], 0, sizeof *out, out, &commit))
        memset(out, 0, sizeof *out); /* cannot be: the caller keeps other writers out */
}

/* ---- creating ---- */

static uint32_t slot_free(const struct segment *segment)
{
    uint32_t first = segment->panel->next_slot;
    for (uint32_t step = 0; step < segment->capacity; step++) {
        uint32_t slot = (uint32_t)(((uint64_t)first + step) % segment->capacity);
        if (!control_used(&segment->controls[slot]))
            return slot;
    }
    return SLOT_NONE;
}

/* Others may still write here (holders of the earlier breaker's permits), hence by atomic words. What is zero is left
 * alone: pages of private memory that were never used stay so. */
static void words_clear(void *memory, size_t size)
{
    typedef uint64_t __attribute__((may_alias)) word;
    word *words = memory;
    for (size_t i = 0; i < size / sizeof(word); i++)
        if (__atomic_load_n(&words[i], __ATOMIC_RELAXED) != 0)
            __atomic_store_n(&words[i], 0, __ATOMIC_RELAXED);
}

/* The slot's live part as a new breaker finds it. The gate goes first: from then on no permit of the slot's earlier
 * breaker matches, and what its holders still do is counted nowhere that matters. A slot that never had a breaker is
 * as it was made: zero, and its pages untouched. */
static void slot_clear(struct segment *segment, uint32_t number, bool used_before)
{
    struct slot *slot = segment_slot(segment, number);
    uint16_t epoch = (uint16_t)(gate_epoch(atomic_load(&slot->gate)) + 1);
    atomic_store(&slot->gate, gate_closed(epoch));
    if (used_before)
        words_clear(&slot->streak, segment->slot_stride - offsetof(struct slot, streak));
    atomic_store(&slot->transitions, epoch);
}

static int slot_fill(struct segment *segment, uint32_t slot, const char *name, const struct policy *policy,
                     uint32_t uid, char error[SEGMENT_ERROR_SIZE])
{
    struct control_copy old, next = {.used = 1, .policy = *policy, .creator_uid = uid};
    next.created_ms = clock_read_ms(CLOCK_REALTIME);
    block_read(segment, slot, &old);
    next.incarnation = old.incarnation + 1;
    next.window_id = old.window_id + 1;
    next.place_length = policy->max_concurrent;
    strcpy(next.name, name);
    if (next.place_length > 0) {
        int result = extent_find(segment, next.place_length, &next.place_first, error);
        if (result != 0)
            return result;
    }
    slot_clear(segment, slot, old.incarnation != 0);
    atomic_store_explicit(&control_of(segment, slot)->told, 0, memory_order_relaxed);
    int result = block_commit(segment, slot, &next);
    return result == 0 ? 0 : fault(error, result, "cannot lock breaker %s: %s", name, strerror(-result));
}

static int create_locked(struct segment *segment, const char *name, const struct policy *policy, uint32_t uid,
                         uint32_t *slot, char error[SEGMENT_ERROR_SIZE])
{
    struct index_hit hit;
    if (index_find(segment, name, &hit)) {
        *slot = hit.slot;
        return PANEL_FOUND;
    }
    uint32_t chosen = slot_free(segment);
    if (chosen == SLOT_NONE)
        return fault(error, -ENOSPC, "the registry is full (%u breakers): remove some with cbctl remove%s",
                     (unsigned)segment->capacity,
                     segment->capacity < CAPACITY_MAX ? ", or start registryd with a larger --capacity" : "");
    int result = slot_fill(segment, chosen, name, policy, uid, error);
    if (result != 0)
        return result;
    index_insert(segment, name, chosen);
    segment->panel_rw->next_slot = chosen + 1;
    *slot = chosen;
    return PANEL_CREATED;
}

int panel_create(struct segment *segment, const char *name, const struct policy *policy, uint32_t uid, uint32_t *slot,
                 char error[SEGMENT_ERROR_SIZE])
{
    if (!breaker_name_valid(name, strnlen(name, NAME_SIZE)))
        return fault(error, SEGMENT_ENAME, "a breaker's name has 1 to 63 bytes of A-Z a-z 0-9 . _ : / @ -");
    int result = take_header(segment);
    if (result != 0)
        return fault(error, result, "cannot lock the panel: %s", strerror(-result));
    result = create_locked(segment, name, policy, uid, slot, error);
    leave_header(segment);
    return result;
}

/* ---- changing ---- */

static bool same_window(const struct policy *left, const struct policy *right)
{
    return left->window == right->window && left->window_size == right->window_size;
}

static bool past_empty(const struct segment *segment, const struct control_copy *block)
{
    for (uint32_t i = 0; i < block->past_length; i++)
        if (atomic_load_explicit(&segment->places[block->past_first + i], memory_order_acquire) != 0)
            return false;
    return true;
}

/* Room for `length` places. An extent never shrinks, and one that must move stays on as the past one: whoever holds a
 * place keeps it, and counts. */
static int places_grow(struct segment *segment, struct control_copy *next, uint32_t length,
                       char error[SEGMENT_ERROR_SIZE])
{
    uint32_t first;
    if (length <= next->place_length)
        return 0;
    if (!extent_extend(segment, next->place_first, next->place_length, length)) {
        if (!past_empty(segment, next))
            return fault(error, -EBUSY,
                         "max_concurrent=%u: calls from before it was raised last still hold their places; try again "
                         "when they have ended",
                         (unsigned)length);
        int result = extent_find(segment, length, &first, error);
        if (result != 0)
            return result;
        next->past_first = next->place_first;
        next->past_length = next->place_length;
        next->place_first = first;
    }
    next->place_length = length;
    return 0;
}

static int policy_locked(struct segment *segment, uint32_t slot, const struct policy *policy,
                         char error[SEGMENT_ERROR_SIZE])
{
    struct control_copy next;
    if (!panel_read(segment, slot, &next, NULL))
        return fault(error, -ENOENT, "there is no such breaker any more");
    if (!same_window(&next.policy, policy))
        next.window_id++;
    int result = places_grow(segment, &next, policy->max_concurrent, error);
    if (result != 0)
        return result;
    next.policy = *policy;
    result = block_commit(segment, slot, &next);
    return result == 0 ? 0 : fault(error, result, "cannot lock breaker %s: %s", next.name, strerror(-result));
}

int panel_set_policy(struct segment *segment, uint32_t slot, const struct policy *policy,
                     char error[SEGMENT_ERROR_SIZE])
{
    int result = take_header(segment);
    if (result != 0)
        return fault(error, result, "cannot lock the panel: %s", strerror(-result));
    result = policy_locked(segment, slot, policy, error);
    leave_header(segment);
    return result;
}

int panel_set_override(struct segment *segment, uint32_t slot, const struct override *override)
{
    struct control_copy next;
    int result = take_header(segment);
    if (result != 0)
        return result;
    if (panel_read(segment, slot, &next, NULL)) {
        next.override = *override;
        result = block_commit(segment, slot, &next);
    } else {
        result = -ENOENT;
    }
    leave_header(segment);
    return result;
}

static int remove_locked(struct segment *segment, uint32_t slot)
{
    struct control_copy old;
    struct index_hit hit;
    if (!panel_read(segment, slot, &old, NULL))
        return -ENOENT;
    bool listed = index_find(segment, old.name, &hit);
    struct control_copy next = {.incarnation = old.incarnation, .window_id = old.window_id};
    int result = block_commit(segment, slot, &next);
    if (result != 0)
        return result;
    if (listed)
        index_remove(segment, hit.position);
    segment->panel_rw->next_slot = slot;
    return 0;
}

int panel_remove(struct segment *segment, uint32_t slot)
{
    int result = take_header(segment);
    if (result != 0)
        return result;
    result = remove_locked(segment, slot);
    leave_header(segment);
    return result;
}

uint32_t panel_recover(struct segment *segment)
{
    uint32_t count = 0;
    if (take_header(segment) != 0)
        return 0;
    index_repair(segment);
    extent_recover(segment);
    for (uint32_t slot = 0; slot < segment->capacity; slot++)
        count += control_used(&segment->controls[slot]);
    leave_header(segment);
    return count;
}
