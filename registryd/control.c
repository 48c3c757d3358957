#include "registryd/control.h"

#include "core/action.h"

int control_create(struct registry *registry, struct actor actor, const char *name, const struct policy *policy,
                   uint32_t *slot, char error[SEGMENT_ERROR_SIZE])
{
    int result = action_create(&registry->chronicle.scribe, actor, name, policy, slot, error);
    if (result == PANEL_CREATED)
        registry->timed |= policy->call_timeout_ms != 0;
    return result;
}

int control_set_policy(struct registry *registry, struct actor actor, uint32_t slot, const struct policy *policy,
                       char error[SEGMENT_ERROR_SIZE])
{
    int result = action_set_policy(&registry->chronicle.scribe, actor, slot, policy, error);
    registry_look(registry);
    return result;
}

void control_trip(struct registry *registry, struct actor actor, uint32_t slot, const char *reason)
{
    action_trip(&registry->chronicle.scribe, actor, slot, reason);
}

void control_reset(struct registry *registry, struct actor actor, uint32_t slot, const char *reason)
{
    action_reset(&registry->chronicle.scribe, actor, slot, reason);
}

void control_reset_all(struct registry *registry, struct actor actor, const char *reason)
{
    action_reset_all(&registry->chronicle.scribe, actor, reason);
}

void control_remove(struct registry *registry, struct actor actor, uint32_t slot, const char *reason)
{
    action_remove(&registry->chronicle.scribe, actor, slot, reason);
    registry_look(registry);
}

void control_override(struct registry *registry, struct actor actor, uint32_t slot, enum breaker_state state,
                      uint64_t for_ms, const char *reason)
{
    action_override(&registry->chronicle.scribe, actor, slot, state, for_ms, reason);
}
