/* Settling calls from outside: their holder is dead, or they are overdue. */
#include "core/call.h"
#include "core/clock.h"
#include "core/panel.h"
#include "core/place.h"
#include "core/settle.h"
#include "core/transition.h"

static uint32_t call_slot(uint64_t word)
{
    return (uint32_t)(word & 0xffff);
}

static void release_place(const struct segment *segment, uint32_t entry, uint64_t word)
{
    struct policy_view view;
    if ((word & CALL_PLACED) && panel_policy(segment, call_slot(word), &view))
        place_release_of(segment, &view, entry, word);
}

/* Mark it pending, apply its outcome, free it: a daemon that dies in between leaves a pending call, and whoever reaps
 * next ends the half-open phase of a probe at once. The entry of a living process that comes back meanwhile may be freed
 * by that, and claimed again: so this frees by compare-and-swap. */
bool call_reap(const struct segment *segment, uint32_t entry, uint64_t word, enum outcome outcome, struct actor holder)
{
    au64 *call = &lane_call(segment, entry)->call;
    bool known = call_slot(word) < segment->capacity;
    if (known)
        release_place(segment, entry, word);
    uint64_t expected = word, pending = word | CALL_PENDING;
    if (!atomic_compare_exchange_strong(call, &expected, pending))
        return false;
    if (known && !(word & CALL_PENDING))
        outcome_apply(segment, word, outcome, TOOK_MEASURED, holder);
    else if (known && (word & CALL_PROBE))
        probe_lost(segment, word, holder);
    atomic_compare_exchange_strong(call, &pending, call_freed(word));
    return true;
}

static bool is_overdue(const struct segment *segment, uint32_t entry, uint64_t word, uint64_t now)
{
    const uint64_t settleable = CALL_BUSY | CALL_TIMED;
    struct policy_view view;
    if ((word & (settleable | CALL_PENDING)) != settleable || call_slot(word) >= segment->capacity)
        return false;
    uint64_t started = atomic_load_explicit(&lane_call(segment, entry)->started_ms, memory_order_relaxed);
    return panel_policy(segment, call_slot(word), &view) && view.policy.call_timeout_ms != 0 && now > started &&
           now - started >= view.policy.call_timeout_ms;
}

static struct actor actor_of(uint64_t process)
{
    return (struct actor){.pid = process_pid(process)};
}

/* Whose calls a chunk holds, as far as that can be told. */
static struct actor chunk_holder(const struct segment *segment, uint32_t chunk)
{
    uint32_t owner = atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed);
    if (owner == 0 || owner > segment->worker_count)
        return (struct actor){0};
    return actor_of(atomic_load_explicit(&segment->workers[owner - 1].process, memory_order_relaxed));
}

static uint32_t chunk_tick(const struct segment *segment, uint32_t chunk, uint64_t now)
{
    uint32_t settled = 0;
    for (uint32_t entry = chunk * CHUNK_CALLS; entry < (chunk + 1) * CHUNK_CALLS; entry++) {
        uint64_t word = atomic_load_explicit(&lane_call(segment, entry)->call, memory_order_acquire);
        if (is_overdue(segment, entry, word, now))
            settled += call_reap(segment, entry, word, OUTCOME_OVERDUE, chunk_holder(segment, chunk));
    }
    return settled;
}

uint32_t call_tick(const struct segment *segment)
{
    uint64_t now = segment_now_ms(segment);
    uint32_t settled = 0;
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++)
        if (atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) != 0)
            settled += chunk_tick(segment, chunk, now);
    return settled;
}

void call_lapse(const struct segment *segment)
{
    struct policy_view view;
    for (uint32_t slot = 0; slot < segment->capacity; slot++) {
        uint64_t gate = atomic_load_explicit(&segment_slot(segment, slot)->gate, memory_order_relaxed);
        if (gate_state(gate) >= STATE_HALF_OPEN && panel_policy(segment, slot, &view))
            transition_apply(segment, slot, (struct gate_input){.event = GATE_LAPSE}, &view.policy, NULL,
                             (struct actor){0});
    }
}

static uint32_t chunk_reap(const struct segment *segment, uint32_t chunk, struct actor holder)
{
    uint32_t settled = 0;
    for (uint32_t entry = chunk * CHUNK_CALLS; entry < (chunk + 1) * CHUNK_CALLS; entry++) {
        uint64_t word = atomic_load_explicit(&lane_call(segment, entry)->call, memory_order_acquire);
        if (word & CALL_BUSY)
            settled += call_reap(segment, entry, word, OUTCOME_ABANDONED, holder);
    }
    atomic_store_explicit(&segment->owners[chunk], 0, memory_order_release);
    return settled;
}

/* Last: as long as a chunk is left, a reaper that comes after us finds the worker and goes on. */
static void worker_free(const struct segment *segment, uint32_t worker)
{
    atomic_store_explicit(&segment->workers[worker].process, 0, memory_order_release);
}

uint32_t worker_reap(const struct segment *segment, uint32_t worker)
{
    uint32_t settled = 0;
    if (worker >= segment->worker_count)
        return 0;
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++)
        if (atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) == worker + 1)
            settled += chunk_reap(segment, chunk, chunk_holder(segment, chunk));
    worker_free(segment, worker);
    return settled;
}

void workers_reap(const struct segment *segment, const uint64_t *dead, uint32_t *settled)
{
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++) {
        uint32_t owner = atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed);
        if (owner != 0 && owner <= segment->worker_count && dead[owner - 1] != 0)
            settled[owner - 1] += chunk_reap(segment, chunk, actor_of(dead[owner - 1]));
    }
    for (uint32_t worker = 0; worker < segment->worker_count; worker++)
        if (dead[worker] != 0)
            worker_free(segment, worker);
}
