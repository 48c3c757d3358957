#include "core/gather.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/gate.h"
#include "core/journal.h"
#include "core/panel.h"
#include "core/process.h"

#define GATHER_DONE UINT64_MAX
#define SUSPECT     (UINT32_C(1) << 16)
#define AUDIT_MS    1000

/* ---- what is known ---- */

static int16_t epochs_after(uint16_t epoch, uint64_t noted)
{
    return (int16_t)(epoch - noted_epoch(noted));
}

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
    return (noted & NOTED_VALID) && epochs_after(event->epoch, noted) <= 0;
}

static uint64_t gate_at(const struct gather *g, uint32_t slot)
{
    return atomic_load_explicit(&segment_slot(g->segment, slot)->gate, memory_order_acquire);
}

uint64_t gather_wall_ms(const struct segment *segment, uint64_t time_ms)
{
    return clock_read_ns(CLOCK_REALTIME_COARSE) / 1000000u - (segment_now_ms(segment) - time_ms);
}

/* ---- making events ---- */

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

static bool event_of_note(const struct gather *g, const struct journal_entry *entry, uint64_t now_ms, struct event *out)
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
    if (g->own && (entry->pid || entry->uid) && entry->cause >= CAUSE_OPERATOR_TRIP)
        out->uid = entry->uid;
    if (!is_believed(g, entry->cause)) {
        out->cause = CAUSE_LOST;
        out->filled = 1;
        out->pid = 0;
        out->value = 1;
        out->of = out->threshold = 0;
    }
    if (out->pid)
        process_start(out->pid, out->command);
    return true;
}

/* The state that a slot had before `epoch + 1`: by the note of that, or by the gate if that is no further. */
static uint8_t state_behind(const struct gather *g, uint32_t slot, uint16_t epoch)
{
    struct journal_entry entry;
    uint64_t gate = gate_at(g, slot);
    for (uint64_t i = g->tail; i < g->head; i++)
        if (journal_read(g->segment, i, &entry) && entry.slot == slot && entry.epoch == (uint16_t)(epoch + 1))
            return checked_state(entry.from);
    return gate_epoch(gate) == epoch ? checked_state(gate_state(gate)) : STATE_UNKNOWN;
}

bool gather_reach(struct gather *g, uint32_t slot, uint16_t epoch, uint64_t now_ms, struct event *out)
{
    uint64_t noted = g->noted[slot];
    int missing = epochs_after(epoch, noted) - 1;
    if (!(noted & NOTED_VALID) || missing <= 0 || !event_begin(g, slot, now_ms, now_ms, out))
        return false;
    out->value = missing > GATHER_FILL_MAX ? (uint64_t)missing : 1;
    out->epoch = (uint16_t)(noted_epoch(noted) + out->value);
    out->from = noted_state(noted);
    out->to = state_behind(g, slot, out->epoch);
    out->cause = CAUSE_LOST;
    out->filled = 1;
    gather_note(g, out);
    return true;
}

/* ---- the journal ---- */

static uint64_t *since_at(const struct gather *g, uint64_t at)
{
    return &g->since[at & (g->segment->journal_length - 1)];
}

/* Have we known of this note for so long? */
static bool is_waited_for(struct gather *g, uint64_t now_ms, uint64_t ms)
{
    uint64_t *since = since_at(g, g->at);
    if (*since == 0)
        *since = now_ms + 1;
    return now_ms + 1 - *since >= ms;
}

/* The gate goes first, so it is never behind a true note. */
static bool is_possible(const struct gather *g, const struct journal_entry *entry)
{
    return entry->slot < g->segment->capacity && (int16_t)(gate_epoch(gate_at(g, entry->slot)) - entry->epoch) >= 0;
}

/* A note that can be read. True: *out is an event. */
static bool take_note(struct gather *g, const struct journal_entry *entry, uint64_t now_ms, struct event *out)
{
    bool known = is_possible(g, entry);
    uint64_t noted = known ? g->noted[entry->slot] : 0;
    int after = epochs_after(entry->epoch, noted);
    bool next = g->own || !(noted & NOTED_VALID) || after == 1;
    if (known && !next && after > 1)
        return is_waited_for(g, now_ms, g->patience_ms + g->hold_ms) && g->filling &&
               gather_reach(g, entry->slot, entry->epoch, now_ms, out);
    if (known && next && !is_waited_for(g, now_ms, g->hold_ms))
        return false;
    *since_at(g, g->at) = GATHER_DONE;
    if (!known || (!next && after <= 0) || !event_of_note(g, entry, now_ms, out))
        return false;
    gather_note(g, out);
    return true;
}

static bool take(struct gather *g, uint64_t now_ms, struct event *out)
{
    struct journal_entry entry;
    if (*since_at(g, g->at) == GATHER_DONE)
        return false;
    if (journal_read(g->segment, g->at, &entry))
        return take_note(g, &entry, now_ms, out);
    if (is_waited_for(g, now_ms, g->patience_ms + g->hold_ms) && g->filling)
        *since_at(g, g->at) = GATHER_DONE; /* its writer died over it; if not, its transition will be known by then */
    return false;
}

static void window_move(struct gather *g)
{
    uint64_t next = journal_next(g->segment), length = g->segment->journal_length;
    if (next < g->head || next - g->head > length) { /* scribbled over, or all of it was overwritten */
        g->head = next > length ? next - length : 0;
        g->tail = g->head;
    }
    for (; g->head < next; g->head++)
        *since_at(g, g->head) = 0;
    if (g->head - g->tail > length)
        g->tail = g->head - length;
    while (g->tail < g->head && *since_at(g, g->tail) == GATHER_DONE)
        g->tail++;
    if (g->at < g->tail)
        g->at = g->tail;
}

/* Pass after pass as long as something comes out; what was out of order comes in the next one. Only when nothing moves
 * any more, what has been waited for is filled in. */
static bool next_noted(struct gather *g, uint64_t now_ms, struct event *out)
{
    for (window_move(g);;) {
        for (; g->at < g->head; g->at++) {
            if (take(g, now_ms, out)) {
                g->moved = true;
                if (g->filling)
                    g->at = g->tail;
                g->filling = false;
                return true;
            }
        }
        g->at = g->tail;
        if (!g->moved && g->filling)
            break;
        g->filling = !g->moved;
        g->moved = false;
    }
    g->filling = false;
    return false;
}

/* ---- gates that went further than anybody noted ---- */

/* The epoch up to which a slot has gone without a note, long enough; -1: none. */
static int32_t unexplained(struct gather *g, uint32_t slot)
{
    uint64_t noted = g->noted[slot];
    uint32_t suspect = g->suspect[slot];
    uint16_t epoch = g->patience_ms == 0 ? gate_epoch(gate_at(g, slot)) : (uint16_t)suspect;
    if (!(noted & NOTED_VALID) || (g->patience_ms != 0 && suspect == 0) || epochs_after(epoch, noted) <= 0)
        return -1;
    return epoch;
}

static void suspect_look(struct gather *g, uint32_t slot)
{
    uint16_t epoch = gate_epoch(gate_at(g, slot));
    bool differs = (g->noted[slot] & NOTED_VALID) && epoch != noted_epoch(g->noted[slot]);
    g->suspect[slot] = differs ? SUSPECT | epoch : 0;
}

/* Somebody wrote an earlier epoch into the gate: no transition does that. */
static bool is_set_back(const struct gather *g, uint32_t slot)
{
    uint16_t epoch = gate_epoch(gate_at(g, slot));
    return (g->noted[slot] & NOTED_VALID) && g->suspect[slot] == (SUSPECT | epoch) &&
           epochs_after(epoch, g->noted[slot]) < 0;
}

static bool begin_anew(struct gather *g, uint32_t slot, uint64_t now_ms, struct event *out)
{
    uint64_t gate = gate_at(g, slot);
    if (!event_begin(g, slot, now_ms, now_ms, out))
        return false;
    out->value = 1;
    out->epoch = gate_epoch(gate);
    out->from = noted_state(g->noted[slot]);
    out->to = checked_state(gate_state(gate));
    out->cause = CAUSE_LOST;
    out->filled = 1;
    gather_note(g, out);
    return true;
}

static bool next_audited(struct gather *g, uint64_t now_ms, struct event *out)
{
    if (g->own || g->hold_ms > 0)
        return false;
    if (g->audit_at == g->segment->capacity && now_ms >= g->audit_ms) {
        g->audit_at = 0;
        g->audit_ms = now_ms + AUDIT_MS;
    }
    for (; g->audit_at < g->segment->capacity; g->audit_at++) {
        int32_t epoch = unexplained(g, g->audit_at);
        if (epoch >= 0 && gather_reach(g, g->audit_at, (uint16_t)(epoch + 1), now_ms, out))
            return true;
        if (is_set_back(g, g->audit_at) && begin_anew(g, g->audit_at, now_ms, out))
            return true;
        suspect_look(g, g->audit_at);
    }
    return false;
}

bool gather_next(struct gather *g, uint64_t now_ms, struct event *out)
{
    return next_noted(g, now_ms, out) || next_audited(g, now_ms, out);
}

/* ---- beginning and end ---- */

bool gather_init(struct gather *g, const struct segment *segment, bool own, uint64_t patience_ms)
{
    *g = (struct gather){.segment = segment, .own = own, .patience_ms = patience_ms, .audit_at = segment->capacity};
    g->noted = calloc(segment->capacity, sizeof *g->noted);
    g->suspect = calloc(segment->capacity, sizeof *g->suspect);
    g->since = calloc(segment->journal_length, sizeof *g->since);
    if (g->noted == NULL || g->suspect == NULL || g->since == NULL) {
        gather_finish(g);
        return false;
    }
    for (uint32_t slot = 0; slot < segment->capacity; slot++)
        g->noted[slot] = events_noted(segment, slot);
    g->tail = g->head = g->at = journal_first(segment);
    return true;
}

void gather_finish(struct gather *g)
{
    free(g->noted);
    free(g->suspect);
    free(g->since);
    *g = (struct gather){0};
}

_Static_assert(COMMAND_SIZE == EVENT_COMMAND_SIZE, "a command's name fits");
