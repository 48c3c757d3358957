#include "core/gather_event.h"

#include <string.h>

#include "core/clock.h"
#include "core/panel.h"
#include "core/transition.h"

void gather_note(struct gather *g, const struct event *event)
{
    if (event_is_transition(event) && event->slot < g->segment->capacity)
        g->noted[event->slot] = event_noted(event);
}

bool gather_knows(const struct gather *g, const struct event *event)
{
    if (!event_is_transition(event) || event->cause == CAUSE_CREATED || event->slot >= g->segment->capacity)
        return false;
    uint64_t noted = g->noted[event->slot];
    if (event_rewinds(event))
        return (noted & NOTED_VALID) && event->epoch == noted_epoch(noted);
    return (noted & NOTED_VALID) && epochs_after(event->epoch, noted) <= 0;
}

uint64_t gather_wall_ms(const struct segment *segment, uint64_t time_ms)
{
    return clock_read_ms(CLOCK_REALTIME_COARSE) - (segment_now_ms(segment) - time_ms);
}

/* ---- what is noted ---- */

static bool event_begin(const struct gather *g, uint32_t slot, uint64_t time_ms, uint64_t now_ms, struct event *out)
{
    struct control_copy block;
    uint64_t commit;
    if (!panel_read(g->segment, slot, &block, &commit))
        return false;
    *out = (struct event){.slot = slot, .incarnation = commit_incarnation(commit), .uid = EVENT_NOBODY};
    out->time_ms = time_ms < now_ms ? time_ms : now_ms; /* somebody else's clock, or no clock's at all */
    out->wall_ms = gather_wall_ms(g->segment, out->time_ms);
    memcpy(out->name, block.name, sizeof out->name);
    return true;
}

static uint8_t checked_state(unsigned state)
{
    return state <= STATE_METRICS_ONLY ? (uint8_t)state : STATE_UNKNOWN;
}

/* What a worker may say of its own accord. What an operator did is only believed of whoever writes the panel. */
static bool is_believed(const struct gather *g, unsigned cause)
{
    return (cause >= CAUSE_STREAK && cause <= CAUSE_OVERDUE) || cause == CAUSE_OVERRIDE_ENDED ||
           cause == CAUSE_DAMAGED || (g->own && cause > CAUSE_NONE && cause <= CAUSE_POLICY);
}

/* Whose doing it was, where that can be believed. An override may have ended by itself, before whoever called next. */
static bool is_ordered(const struct journal_entry *entry)
{
    return entry->cause >= CAUSE_OPERATOR_TRIP && entry->cause <= CAUSE_OVERRIDE_ENDED &&
           (entry->cause != CAUSE_OVERRIDE_ENDED || entry->value == NUMBER_BY_HAND);
}

bool gather_event_of(const struct gather *g, const struct journal_entry *entry, uint64_t now_ms, struct event *out)
{
    if (!event_begin(g, entry->slot, entry->time_ms, now_ms, out) ||
        (g->own && (out->incarnation & 0xff) != entry->incarnation))
        return false;
    out->epoch = entry->epoch;
    out->from = checked_state(entry->from);
    out->to = checked_state(entry->to);
    out->value = entry->value;
    out->of = entry->of;
    out->threshold = entry->threshold;
    out->until_ms = entry->until_ms;
    out->pid = entry->pid;
    out->cause = (uint8_t)entry->cause;
    if (g->own && is_ordered(entry))
        out->uid = entry->uid;
    if (!is_believed(g, entry->cause)) {
        out->cause = CAUSE_LOST;
        out->filled = 1;
        out->pid = 0;
        out->value = 1;
        out->of = out->threshold = 0;
    }
    return true;
}

/* ---- what is not ---- */

/* The state that a slot had before `epoch + 1`: by the note of that, or by the gate if that is no further. */
static uint8_t state_behind(const struct gather *g, uint32_t slot, uint16_t epoch)
{
    struct journal_entry entry;
    uint64_t gate = gather_gate(g, slot);
    for (uint64_t i = g->tail; i < g->head; i++)
        if (journal_read(g->segment, i, &entry) && entry.slot == slot && entry.epoch == (uint16_t)(epoch + 1))
            return checked_state(entry.from);
    return gate_epoch(gate) == epoch ? checked_state(gate_state(gate)) : STATE_UNKNOWN;
}

/* `count` transitions up to `epoch` that nobody noted; 0: nobody knows how many. */
static bool event_fill(struct gather *g, uint32_t slot, uint16_t epoch, unsigned count, uint64_t now_ms,
                       struct event *out)
{
    if (!event_begin(g, slot, now_ms, now_ms, out))
        return false;
    out->value = count;
    out->epoch = epoch;
    out->from = noted_state(g->noted[slot]);
    out->to = state_behind(g, slot, epoch);
    out->cause = CAUSE_LOST;
    out->filled = 1;
    gather_note(g, out);
    return true;
}

bool gather_reach(struct gather *g, uint32_t slot, uint16_t epoch, uint64_t now_ms, struct event *out)
{
    uint64_t noted = g->noted[slot];
    int missing = epochs_after(epoch, noted) - 1;
    unsigned count = missing > GATHER_FILL_MAX ? (unsigned)missing : 1;
    return (noted & NOTED_VALID) && missing > 0 &&
           event_fill(g, slot, (uint16_t)(noted_epoch(noted) + count), count, now_ms, out);
}

bool gather_rewind(struct gather *g, uint32_t slot, uint64_t now_ms, struct event *out)
{
    uint16_t epoch = gate_epoch(gather_gate(g, slot));
    return (g->noted[slot] & NOTED_VALID) && epochs_after(epoch, g->noted[slot]) < 0 &&
           event_fill(g, slot, epoch, 0, now_ms, out);
}
