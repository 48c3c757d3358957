#include "core/gather.h"

#include <stdlib.h>

#include "core/gather_event.h"

#define GATHER_DONE UINT64_MAX
#define SUSPECT     (UINT32_C(1) << 16)
#define AUDIT_MS    1000

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
    return entry->slot < g->segment->capacity && (int16_t)(gate_epoch(gather_gate(g, entry->slot)) - entry->epoch) >= 0;
}

/* A note that can be read. True: *out is an event. */
static bool take_note(struct gather *g, const struct journal_entry *entry, uint64_t now_ms, struct event *out)
{
    bool known = is_possible(g, entry);
    uint64_t noted = known ? g->noted[entry->slot] : 0;
    int after = epochs_after(entry->epoch, noted);
    bool next = g->own || !(noted & NOTED_VALID) || after == 1;
    if (known && !next && after > 1) {
        if (!is_waited_for(g, now_ms, g->patience_ms + g->hold_ms) || !g->filling)
            return false;
        if (gather_reach(g, entry->slot, entry->epoch, now_ms, out))
            return true;
    }
    if (known && next && !is_waited_for(g, now_ms, g->hold_ms))
        return false;
    *since_at(g, g->at) = GATHER_DONE;
    if (!known || !next || !gather_event_of(g, entry, now_ms, out))
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
    uint16_t epoch = g->patience_ms == 0 ? gate_epoch(gather_gate(g, slot)) : (uint16_t)suspect;
    if (!(noted & NOTED_VALID) || (g->patience_ms != 0 && suspect == 0) || epochs_after(epoch, noted) <= 0)
        return -1;
    return epoch;
}

static void suspect_look(struct gather *g, uint32_t slot)
{
    uint16_t epoch = gate_epoch(gather_gate(g, slot));
    bool differs = (g->noted[slot] & NOTED_VALID) && epoch != noted_epoch(g->noted[slot]);
    g->suspect[slot] = differs ? SUSPECT | epoch : 0;
}

static bool was_there_before(const struct gather *g, uint32_t slot)
{
    return g->suspect[slot] == (SUSPECT | gate_epoch(gather_gate(g, slot)));
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
        if (was_there_before(g, g->audit_at) && gather_rewind(g, g->audit_at, now_ms, out))
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
