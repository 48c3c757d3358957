#include "registryd/state_breaker.h"

#include <errno.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/events.h"
#include "core/gate.h"
#include "core/panel.h"

static uint64_t gate_of(const struct segment *segment, uint32_t slot)
{
    return atomic_load_explicit(&segment_slot(segment, slot)->gate, memory_order_acquire);
}

static bool is_override(enum breaker_state state)
{
    return state >= STATE_FORCED_OPEN && state <= STATE_METRICS_ONLY;
}

/* ---- out of the memory ---- */

static void read_override(const struct override *override, struct state_entry *entry)
{
    if (override->state != entry->state)
        return; /* the gate counts; whose it is comes with the next look */
    entry->uid = override->uid;
    entry->pid = override->pid;
    snprintf(entry->reason, sizeof entry->reason, "%.*s", REASON_SIZE - 1, override->reason);
}

/* What the gate says, for whoever finds it later: half-open is open and due, and what has ended by itself is over. */
static void read_gate(uint64_t gate, uint64_t now_ms, uint64_t wall_ms, struct state_entry *entry)
{
    enum breaker_state state = gate_state(gate);
    uint64_t until = gate & GATE_PAYLOAD_MASK;
    bool due = gate_is_due(until, now_ms & GATE_PAYLOAD_MASK), endless = is_override(state) && until == 0;
    if (is_override(state) && (endless || !due))
        entry->state = state;
    if (state == STATE_OPEN || state == STATE_HALF_OPEN)
        entry->state = STATE_OPEN;
    entry->attempt = gate_attempt(gate);
    if (entry->state != STATE_CLOSED && !endless)
        entry->until_ms = state == STATE_HALF_OPEN || due ? wall_ms : wall_ms + (until - (now_ms & GATE_PAYLOAD_MASK));
}

bool state_breaker_read(const struct segment *segment, uint32_t slot, uint64_t wall_ms, struct state_entry *entry)
{
    struct control_copy copy;
    if (!panel_read(segment, slot, &copy, NULL))
        return false;
    *entry = (struct state_entry){.creator_uid = copy.creator_uid, .policy = copy.policy};
    snprintf(entry->name, sizeof entry->name, "%.*s", NAME_SIZE - 1, copy.name);
    read_gate(gate_of(segment, slot), segment_now_ms(segment), wall_ms, entry);
    if (is_override(entry->state))
        read_override(&copy.override, entry);
    return true;
}

/* Each block's version, and what is kept of its gate: everything above the payload changes with each transition. */
uint64_t state_breaker_mark(const struct segment *segment)
{
    uint64_t mark = 1;
    for (uint32_t slot = 0; slot < segment->capacity; slot++) {
        uint64_t commit = panel_commit(segment, slot), gate = 0;
        if (commit & TRAIT_USED)
            gate = gate_of(segment, slot);
        if (gate_state(gate) != STATE_CLOSED)
            commit += gate >> 40;
        mark = (mark ^ commit ^ (uint64_t)slot << 40) * UINT64_C(0x9e3779b97f4a7c15);
        mark ^= mark >> 29;
    }
    return mark;
}

/* ---- into new memory ---- */

uint64_t state_breaker_left_ms(const struct state_entry *entry, uint64_t saved_ms, uint64_t wall_ms)
{
    uint64_t since = saved_ms > wall_ms ? saved_ms : wall_ms;
    uint64_t left = entry->until_ms > since ? entry->until_ms - since : 0;
    uint64_t most = entry->state == STATE_OPEN ? entry->policy.max_open_timeout_ms : POLICY_MAX_MS;
    return left < most ? left : most;
}

static void impose(struct segment *segment, uint32_t slot, const struct state_entry *entry, uint64_t until_ms)
{
    struct override override = {.state = entry->state, .uid = entry->uid, .pid = entry->pid, .until_ms = until_ms};
    snprintf(override.reason, sizeof override.reason, "%s", entry->reason);
    panel_set_override(segment, slot, &override);
}

/* It begins in that state, in its first epoch: nothing has happened to it yet. */
static void begin(struct segment *segment, uint32_t slot, const struct state_entry *entry, uint64_t left_ms)
{
    bool open = entry->state == STATE_OPEN, endless = !open && entry->until_ms == 0;
    uint64_t until = endless ? 0 : segment_now_ms(segment) + left_ms;
    if (entry->state == STATE_CLOSED || (!open && !endless && left_ms == 0))
        return;
    if (!open)
        impose(segment, slot, entry, until);
    uint64_t gate = gate_until(entry->state, gate_epoch(gate_of(segment, slot)), open ? entry->attempt : 0, until);
    atomic_store(&segment_slot(segment, slot)->gate, gate);
}

/* Its first event, so that its history begins with what it came back as, and whose override that was. */
static void tell(struct segment *segment, uint32_t slot, const struct state_entry *entry, uint64_t wall_ms)
{
    uint64_t gate = gate_of(segment, slot);
    struct event event = {
        .time_ms = segment_now_ms(segment),
        .wall_ms = wall_ms,
        .until_ms = gate & GATE_PAYLOAD_MASK,
        .slot = slot,
        .incarnation = commit_incarnation(panel_commit(segment, slot)),
        .epoch = gate_epoch(gate),
        .to = (uint8_t)gate_state(gate),
        .cause = CAUSE_RESTORED,
        .pid = entry->pid,
        .uid = is_override(gate_state(gate)) ? entry->uid : EVENT_NOBODY,
    };
    snprintf(event.name, sizeof event.name, "%s", entry->name);
    snprintf(event.reason, sizeof event.reason, "%s", entry->reason);
    events_append(segment, &event);
}

int state_breaker_create(struct segment *segment, const struct state_entry *entry, uint64_t saved_ms, uint64_t wall_ms,
                         char error[SEGMENT_ERROR_SIZE])
{
    uint32_t slot;
    int result = panel_create(segment, entry->name, &entry->policy, entry->creator_uid, &slot, error);
    if (result < 0)
        return result;
    if (result == PANEL_FOUND) {
        snprintf(error, SEGMENT_ERROR_SIZE, "it stands there twice");
        return -EEXIST;
    }
    begin(segment, slot, entry, state_breaker_left_ms(entry, saved_ms, wall_ms));
    tell(segment, slot, entry, wall_ms);
    return 0;
}
