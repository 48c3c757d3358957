/* Controls: by the daemon where the breaker is shared, directly where it is private. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "core/clock.h"
#include "core/reason.h"

static int reason_check(const char *reason)
{
    size_t length = reason ? strlen(reason) : 0;
    if (length >= REASON_SIZE)
        return fail(CB_EREASON, "a reason has at most %d bytes; this one has %zu bytes", REASON_SIZE - 1, length);
    size_t fault = reason ? reason_fault(reason) : 0;
    if (fault)
        return fail(CB_EREASON, "a reason is UTF-8 without control characters; this one is not at byte %zu", fault);
    return 0;
}

/* What every control asks first. The slot of a private breaker that was removed may be another's by now; a shared one's
 * name is what the daemon goes by. */
static int check(const cb_breaker *breaker, const char *function, const char *reason)
{
    if (!breaker)
        return fail(-EINVAL, "%s: breaker is NULL", function);
    const struct binding *binding = breaker_binding(breaker);
    if (!binding->shared && !binding_current(binding))
        return fail(CB_EREMOVED, "breaker '%s' was removed", breaker->name);
    return reason_check(reason);
}

static int exchange(cb_registry *registry, const Cb__Request *request)
{
    Cb__Reply *reply;
    int code = wire_exchange(registry, request, WIRE_DEADLINE_MS, &reply);
    if (code == 0)
        cb__reply__free_unpacked(reply, NULL);
    return code;
}

/* Trip, reset and remove are the same message under three numbers. */
static int control(cb_registry *registry, Cb__Request__KindCase kind, const char *name, const char *reason)
{
    Cb__Control message = CB__CONTROL__INIT;
    message.name = (char *)name;
    message.reason = (char *)(reason ? reason : "");
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = kind;
    request.trip = &message; /* one union: the same pointer for all three */
    return exchange(registry, &request);
}

static struct actor self(void)
{
    return (struct actor){.pid = (uint32_t)getpid(), .uid = (uint32_t)getuid()};
}

/* The slot of a breaker in private memory, or NULL if it is shared. */
static const struct binding *own_binding(const cb_breaker *breaker)
{
    const struct binding *binding = breaker_binding(breaker);
    if (binding->shared)
        return NULL;
    registry_adopt(breaker->registry); /* its locks may be a parent's */
    return binding;
}

static int operate_own(const struct binding *binding, struct gate_input input, const char *reason)
{
    struct override override = {
        .state = input.event == GATE_OVERRIDE ? input.to : STATE_CLOSED,
        .uid = (uint32_t)getuid(),
        .pid = (uint32_t)getpid(),
        .until_ms = input.until_ms,
    };
    strncpy(override.reason, reason ? reason : "", sizeof override.reason - 1);
    int code = panel_set_override(&binding->membership->segment, binding->slot, &override);
    if (code < 0)
        return fail(code, "the private breaker cannot be written");
    call_operate(&binding->membership->segment, binding->slot, input, self());
    return 0;
}

int cb_trip(cb_breaker *breaker, const char *reason)
{
    int code = check(breaker, "cb_trip", reason);
    if (code < 0)
        return code;
    const struct binding *own = own_binding(breaker);
    if (own)
        return operate_own(own, (struct gate_input){.event = GATE_OPERATOR_TRIP}, reason);
    return control(breaker->registry, CB__REQUEST__KIND_TRIP, breaker->name, reason);
}

int cb_reset(cb_breaker *breaker, const char *reason)
{
    int code = check(breaker, "cb_reset", reason);
    if (code < 0)
        return code;
    const struct binding *own = own_binding(breaker);
    if (own)
        return operate_own(own, (struct gate_input){.event = GATE_RESET}, reason);
    return control(breaker->registry, CB__REQUEST__KIND_RESET, breaker->name, reason);
}

int cb_reset_all(cb_registry *registry, const char *reason)
{
    int code = registry ? reason_check(reason) : fail(-EINVAL, "cb_reset_all: registry is NULL");
    if (code < 0)
        return code;
    registry_lock(registry);
    for (size_t i = 0; i < registry->breaker_room; i++) {
        cb_breaker *breaker = registry->breakers[i].breaker;
        if (breaker && breaker_binding(breaker) && own_binding(breaker))
            operate_own(own_binding(breaker), (struct gate_input){.event = GATE_RESET}, reason);
    }
    registry_unlock(registry);
    return cb_is_shared(registry) ? control(registry, CB__REQUEST__KIND_RESET, "", reason) : 0;
}

static int override_own(const struct binding *binding, enum cb_state state, uint64_t for_ms, const char *reason)
{
    if (state == CB_CLOSED)
        return operate_own(binding, (struct gate_input){.event = GATE_AUTO}, NULL);
    struct gate_input input = {.event = GATE_OVERRIDE, .to = (enum breaker_state)state};
    if (for_ms)
        input.until_ms = segment_now_ms(&binding->membership->segment) + for_ms;
    return operate_own(binding, input, reason);
}

int cb_override(cb_breaker *breaker, enum cb_state state, uint64_t for_ms, const char *reason)
{
    int code = check(breaker, "cb_override", reason);
    if (code < 0)
        return code;
    if (state != CB_CLOSED && state != CB_FORCED_OPEN && state != CB_DISABLED && state != CB_METRICS_ONLY)
        return fail(-EINVAL, "an override is forced-open, disabled or metrics-only, or closed to end one");
    if (for_ms > POLICY_MAX_MS)
        return fail(-EINVAL, "an override lasts at most 7 days, or until it is ended");
    if (own_binding(breaker))
        return override_own(own_binding(breaker), state, for_ms, reason);
    Cb__Override message = CB__OVERRIDE__INIT;
    message.name = breaker->name;
    message.state = (uint32_t)state;
    message.for_ms = for_ms;
    message.reason = (char *)(reason ? reason : "");
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_OVERRIDE;
    request.override = &message;
    return exchange(breaker->registry, &request);
}

int cb_set_policy(cb_breaker *breaker, const char *text)
{
    struct policy policy;
    int code = check(breaker, "cb_set_policy", NULL);
    if (code == 0)
        code = policy_of_text(text, &policy);
    if (code < 0)
        return code;
    const struct binding *own = own_binding(breaker);
    if (own) {
        code = panel_set_policy(&own->membership->segment, own->slot, &policy, error_buffer());
        return code == -ENOSPC ? CB_EFULL : code;
    }
    Cb__SetPolicy message = CB__SET_POLICY__INIT;
    message.name = breaker->name;
    message.policy = (char *)(text ? text : "");
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_SET_POLICY;
    request.set_policy = &message;
    return exchange(breaker->registry, &request);
}

int cb_remove(cb_breaker *breaker, const char *reason)
{
    int code = check(breaker, "cb_remove", reason);
    if (code < 0)
        return code;
    const struct binding *own = own_binding(breaker);
    if (own)
        return panel_remove(&own->membership->segment, own->slot);
    return control(breaker->registry, CB__REQUEST__KIND_REMOVE, breaker->name, reason);
}
