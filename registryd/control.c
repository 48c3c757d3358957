#include "registryd/control.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/journal.h"
#include "registryd/log.h"

static uint64_t gate_of(const struct registry *registry, uint32_t slot)
{
    return atomic_load_explicit(&segment_slot(&registry->segment, slot)->gate, memory_order_acquire);
}

static void journal(struct registry *registry, struct actor actor, uint32_t slot, enum cause cause)
{
    uint64_t gate = gate_of(registry, slot);
    struct journal_entry entry = {
        .time_ms = segment_now_ms(&registry->segment),
        .slot = slot,
        .pid = actor.pid,
        .uid = actor.uid,
        .epoch = gate_epoch(gate),
        .from = gate_state(gate),
        .to = gate_state(gate),
        .cause = cause,
    };
    journal_append(&registry->segment, &entry);
}

/* "breaker NAME: WHAT by uid U (pid P)[: DETAIL]" */
static void say(struct registry *registry, struct actor actor, uint32_t slot, const char *what, const char *detail)
{
    struct control_copy copy;
    const char *name = panel_read(&registry->segment, slot, &copy, NULL) ? copy.name : "?";
    log_say(LOG_NOTICE, "breaker %s: %s by uid %u (pid %u)%s%s", name, what, actor.uid, actor.pid, *detail ? ": " : "",
            detail);
}

static void say_policy(struct registry *registry, struct actor actor, uint32_t slot, const char *what,
                       const struct policy *policy)
{
    char text[POLICY_TEXT_SIZE];
    policy_format(policy, text);
    say(registry, actor, slot, what, *text ? text : "default policy");
}

int control_create(struct registry *registry, struct actor actor, const char *name, const struct policy *policy,
                   uint32_t *slot, char error[SEGMENT_ERROR_SIZE])
{
    int result = panel_create(&registry->segment, name, policy, actor.uid, slot, error);
    if (result != PANEL_CREATED)
        return result;
    journal(registry, actor, *slot, CAUSE_CREATED); /* not in the log: workers do this whenever they start */
    registry->timed |= policy->call_timeout_ms != 0;
    return result;
}

int control_set_policy(struct registry *registry, struct actor actor, uint32_t slot, const struct policy *policy,
                       char error[SEGMENT_ERROR_SIZE])
{
    struct policy_view view;
    if (panel_policy(&registry->segment, slot, &view) && memcmp(&view.policy, policy, sizeof *policy) == 0)
        return 0;
    int result = panel_set_policy(&registry->segment, slot, policy, error);
    if (result < 0)
        return result;
    journal(registry, actor, slot, CAUSE_POLICY);
    say_policy(registry, actor, slot, "policy changed", policy);
    registry_look(registry);
    return result;
}

/* An override's text, written before the gate says so: readers that see the one find the other. */
static void impose(struct registry *registry, struct actor actor, uint32_t slot, enum breaker_state state,
                   uint64_t until_ms, const char *reason)
{
    struct override override = {.state = state, .uid = actor.uid, .pid = actor.pid, .until_ms = until_ms};
    snprintf(override.reason, sizeof override.reason, "%s", reason);
    panel_set_override(&registry->segment, slot, &override);
}

static void impose_nothing(struct registry *registry, uint32_t slot)
{
    panel_set_override(&registry->segment, slot, &(struct override){.state = STATE_CLOSED});
}

void control_trip(struct registry *registry, struct actor actor, uint32_t slot, const char *reason)
{
    call_operate(&registry->segment, slot, (struct gate_input){.event = GATE_OPERATOR_TRIP}, actor);
    impose_nothing(registry, slot);
    say(registry, actor, slot, "tripped", reason);
}

void control_reset(struct registry *registry, struct actor actor, uint32_t slot, const char *reason)
{
    call_operate(&registry->segment, slot, (struct gate_input){.event = GATE_RESET}, actor);
    impose_nothing(registry, slot);
    say(registry, actor, slot, "reset", reason);
}

void control_remove(struct registry *registry, struct actor actor, uint32_t slot, const char *reason)
{
    journal(registry, actor, slot, CAUSE_REMOVED);
    say(registry, actor, slot, "removed", reason);
    panel_remove(&registry->segment, slot);
    registry_look(registry);
}

static void end_override(struct registry *registry, struct actor actor, uint32_t slot, const char *reason)
{
    uint64_t before = gate_of(registry, slot);
    call_operate(&registry->segment, slot, (struct gate_input){.event = GATE_AUTO}, actor);
    impose_nothing(registry, slot);
    if (gate_state(before) >= STATE_FORCED_OPEN)
        say(registry, actor, slot, "override ended", reason);
}

void control_override(struct registry *registry, struct actor actor, uint32_t slot, enum breaker_state state,
                      uint64_t for_ms, const char *reason)
{
    if (state == STATE_CLOSED) {
        end_override(registry, actor, slot, reason);
        return;
    }
    uint64_t until = for_ms ? segment_now_ms(&registry->segment) + for_ms : 0;
    struct gate_input input = {.event = GATE_OVERRIDE, .to = state, .until_ms = until};
    impose(registry, actor, slot, state, until, reason);
    call_operate(&registry->segment, slot, input, actor);
    say(registry, actor, slot, state_name(state), reason);
}
