#include "core/action.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/transition.h"

#define SLOT_UNKNOWN UINT32_MAX

/* ---- the control block ---- */

int action_create(struct scribe *scribe, struct actor actor, const char *name, const struct policy *policy,
                  uint32_t *slot, char error[SEGMENT_ERROR_SIZE])
{
    char text[POLICY_TEXT_SIZE];
    int64_t found = panel_find(scribe->segment, name);
    if (found >= 0) {
        *slot = (uint32_t)found;
        return PANEL_FOUND;
    }
    scribe_turn(scribe); /* what the slot's earlier breaker has left */
    policy_format(policy, text);
    struct event event = scribe_prepare(scribe, SLOT_UNKNOWN, CAUSE_CREATED, actor, text);
    strncpy(event.name, name, sizeof event.name - 1);
    scribe_order(scribe, &event, 0);
    int result = panel_create(scribe->segment, name, policy, actor.uid, slot, error);
    event.slot = *slot;
    if (result == PANEL_CREATED)
        scribe_done(scribe, &event);
    else
        scribe_cancel(scribe);
    return result;
}

int action_set_policy(struct scribe *scribe, struct actor actor, uint32_t slot, const struct policy *policy,
                      char error[SEGMENT_ERROR_SIZE])
{
    char text[POLICY_TEXT_SIZE];
    struct policy_view view;
    if (panel_policy(scribe->segment, slot, &view) && memcmp(&view.policy, policy, sizeof *policy) == 0)
        return 0;
    scribe_turn(scribe);
    policy_format(policy, text);
    struct event event = scribe_prepare(scribe, slot, CAUSE_POLICY, actor, text);
    scribe_order(scribe, &event, 0);
    int result = panel_set_policy(scribe->segment, slot, policy, error);
    if (result == 0)
        scribe_done(scribe, &event);
    else
        scribe_cancel(scribe);
    return result;
}

void action_remove(struct scribe *scribe, struct actor actor, uint32_t slot, const char *reason)
{
    scribe_turn(scribe);
    struct event event = scribe_prepare(scribe, slot, CAUSE_REMOVED, actor, reason);
    scribe_order(scribe, &event, 0);
    if (panel_remove(scribe->segment, slot) == 0)
        scribe_done(scribe, &event);
    else
        scribe_cancel(scribe);
}

/* ---- the gate ---- */

static void event_take(struct event *event, uint64_t word, struct gate_step step)
{
    event->epoch = gate_epoch(step.next);
    event->from = (uint8_t)gate_state(word);
    event->to = (uint8_t)gate_state(step.next);
    event->cause = (uint8_t)step.cause;
    event->until_ms = step.next & GATE_PAYLOAD_MASK;
}

static void impose(struct scribe *scribe, uint32_t slot, const struct override *override)
{
    panel_set_override(scribe->segment, slot, override);
}

/* The order has the word that is to be swapped in, so that a successor can tell whether it was. An override that this
 * ends leaves the block while the order still stands: the successor does that as well. */
static void operate(struct scribe *scribe, struct actor actor, uint32_t slot, struct gate_input input,
                    const char *reason)
{
    struct segment *segment = scribe->segment;
    struct policy_view view;
    struct gate_step step;
    uint64_t word = atomic_load_explicit(&segment_slot(segment, slot)->gate, memory_order_acquire);
    panel_policy_or_default(segment, slot, &view);
    scribe_turn(scribe);
    scribe_follow(scribe, slot);
    struct event event = scribe_prepare(scribe, slot, CAUSE_NONE, actor, reason);
    do {
        step = gate_step(word, input, &view.policy, segment_now_ms(segment));
        if (step.next == word) { /* there is no override to end; at most what is left of one */
            impose(scribe, slot, &(struct override){.state = STATE_CLOSED});
            scribe_cancel(scribe);
            return;
        }
        event_take(&event, word, step);
        scribe_order(scribe, &event, step.next);
    } while (!transition_swap(segment, slot, &word, step, NULL, actor));
    if (input.event != GATE_OVERRIDE)
        impose(scribe, slot, &(struct override){.state = STATE_CLOSED});
    scribe_done(scribe, &event);
}

void action_trip(struct scribe *scribe, struct actor actor, uint32_t slot, const char *reason)
{
    operate(scribe, actor, slot, (struct gate_input){.event = GATE_OPERATOR_TRIP}, reason);
}

void action_reset(struct scribe *scribe, struct actor actor, uint32_t slot, const char *reason)
{
    operate(scribe, actor, slot, (struct gate_input){.event = GATE_RESET}, reason);
}

void action_reset_all(struct scribe *scribe, struct actor actor, const char *reason)
{
    for (uint32_t slot = 0; slot < scribe->segment->capacity; slot++)
        if (panel_commit(scribe->segment, slot) & TRAIT_USED)
            action_reset(scribe, actor, slot, reason);
}

void action_override(struct scribe *scribe, struct actor actor, uint32_t slot, enum breaker_state state,
                     uint64_t for_ms, const char *reason)
{
    if (state == STATE_CLOSED) {
        operate(scribe, actor, slot, (struct gate_input){.event = GATE_AUTO}, reason);
        return;
    }
    uint64_t until_ms = for_ms ? segment_now_ms(scribe->segment) + for_ms : 0;
    struct override override = {.state = state, .uid = actor.uid, .pid = actor.pid, .until_ms = until_ms};
    snprintf(override.reason, sizeof override.reason, "%s", reason);
    /* Before the gate says so: readers that see the one find the other. */
    impose(scribe, slot, &override);
    operate(scribe, actor, slot, (struct gate_input){.event = GATE_OVERRIDE, .to = state, .until_ms = until_ms},
            reason);
}

/* Is it in force, as far as the block goes, and the gate knows nothing of it? */
static bool is_left(const struct scribe *scribe, uint32_t slot, const struct override *override)
{
    uint64_t gate = atomic_load_explicit(&segment_slot(scribe->segment, slot)->gate, memory_order_acquire);
    bool over = override->until_ms != 0 && segment_now_ms(scribe->segment) >= override->until_ms;
    return override->state >= STATE_FORCED_OPEN && !over &&
           (gate_state(gate) != override->state ||
            (gate & GATE_PAYLOAD_MASK) != (override->until_ms & GATE_PAYLOAD_MASK));
}

void action_resume(struct scribe *scribe)
{
    struct control_copy block;
    for (uint32_t slot = 0; slot < scribe->segment->capacity; slot++) {
        if (!panel_read(scribe->segment, slot, &block, NULL) || !is_left(scribe, slot, &block.override))
            continue;
        struct gate_input input = {.event = GATE_OVERRIDE,
                                   .to = (enum breaker_state)block.override.state,
                                   .until_ms = block.override.until_ms};
        operate(scribe, (struct actor){.pid = block.override.pid, .uid = block.override.uid}, slot, input,
                block.override.reason);
    }
}

bool action_repair(struct scribe *scribe, uint32_t slot, struct gate_damage damage, const char *what)
{
    struct gate_step step = {.next = damage.right, .cause = CAUSE_DAMAGED};
    struct event event = scribe_prepare(scribe, slot, CAUSE_DAMAGED, (struct actor){0}, what);
    event_take(&event, damage.found, step);
    event.uid = EVENT_NOBODY;
    event.from = noted_state(events_noted(scribe->segment, slot));
    scribe_order(scribe, &event, damage.right);
    bool repaired = check_gate_repair(scribe->segment, slot, damage);
    if (repaired)
        scribe_done(scribe, &event);
    else
        scribe_cancel(scribe);
    return repaired;
}
