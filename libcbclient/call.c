/* The call path: what runs around every call. */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "core/probe.h"

static struct permit *permit_of(cb_permit *permit)
{
    return (struct permit *)(void *)permit;
}

/* Everything but a plain admission. */
static __attribute__((noinline)) int acquire(cb_breaker *breaker, struct permit *permit)
{
    struct binding *binding = breaker_binding(breaker);
    if (!binding->shared && lane_serial(binding->lane) == 0) /* the first call of a forked child */
        registry_adopt(breaker->registry);
    if (!binding->shared || !binding_current(binding)) {
        breaker_rejoin(breaker);
        binding = breaker_binding(breaker);
    }
    const struct membership *membership = binding->membership;
    uint64_t commit = panel_commit(&membership->segment, binding->slot);
    int answer = (int)call_acquire(&membership->segment, membership->lane, binding->slot, commit, &permit->held);
    permit->binding = answer == CB_ADMITTED ? binding : NULL;
    if (answer == CB_ADMITTED)
        PROBE_ACQUIRE(breaker->name);
    else
        PROBE_REJECT(breaker->name, answer);
    return answer;
}

static inline int admitted(struct permit *permit, struct binding *binding)
{
    permit->binding = binding;
    PROBE_ACQUIRE(binding->name);
    return CB_ADMITTED;
}

/* Not admitted as it is: rejected, most of the time. */
static __attribute__((noinline)) int acquire_further(cb_breaker *breaker, struct permit *permit,
                                                     const struct binding *binding)
{
    if (!plain_reject(&binding->target))
        return acquire(breaker, permit);
    PROBE_REJECT(binding->name, CB_REJECTED_OPEN);
    return CB_REJECTED_OPEN;
}

/* Apart from cb_acquire(), because what reading a clock keeps in registers would cost every call. */
static __attribute__((noinline)) int acquire_timed(cb_breaker *breaker, struct permit *permit, struct binding *binding,
                                                   uint64_t commit)
{
    if (plain_admits(&binding->target) &&
        plain_acquire(&binding->target, binding->lane, commit, clock_started(commit, plain_tick(&binding->target)),
                      &permit->held))
        return admitted(permit, binding);
    return acquire_further(breaker, permit, binding);
}

int cb_acquire(cb_breaker *breaker, cb_permit *out)
{
    if (__builtin_expect(!breaker || !out, 0))
        return -EINVAL;
    struct permit *permit = permit_of(out);
    struct binding *binding = breaker_binding(breaker);
    uint64_t commit = atomic_load_explicit(&binding->target.control->commit, memory_order_acquire);
    permit->binding = NULL;
    if (__builtin_expect(!binding->shared || !binding_holds(binding, commit), 0))
        return acquire(breaker, permit);
    if (commit & TRAITS_TIMED)
        return acquire_timed(breaker, permit, binding, commit);
    if (plain_acquire(&binding->target, binding->lane, commit, 0, &permit->held))
        return admitted(permit, binding);
    return acquire_further(breaker, permit, binding);
}

static __attribute__((noinline)) int settle(cb_permit *handle, enum outcome outcome, uint64_t took_ns)
{
    struct permit *permit = permit_of(handle);
    if (__builtin_expect(!permit || !permit->binding, 0))
        return CB_ESETTLED;
    const struct binding *binding = permit->binding;
    const struct membership *membership = binding->membership;
    permit->binding = NULL;
    int result = call_settle(&membership->segment, membership->lane, &permit->held, outcome, took_ns);
    if (result == 0)
        PROBE_OUTCOME(binding->name, outcome);
    return result;
}

static inline int settled(struct permit *permit, const struct binding *binding)
{
    permit->binding = NULL;
    PROBE_OUTCOME(binding->name, OUTCOME_SUCCESS);
    return 0;
}

/* What is more than a plain success. A private breaker's clock may be virtual, of which plain_success_measured() does not
 * know. */
static __attribute__((noinline)) int success(cb_permit *handle)
{
    struct permit *permit = permit_of(handle);
    const struct binding *binding = permit ? permit->binding : NULL;
    if (binding && binding->shared && plain_success_measured(&binding->target, binding->lane, &permit->held))
        return settled(permit, binding);
    return settle(handle, OUTCOME_SUCCESS, TOOK_MEASURED);
}

int cb_success(cb_permit *handle)
{
    struct permit *permit = permit_of(handle);
    const struct binding *binding = permit ? permit->binding : NULL;
    if (__builtin_expect(binding && plain_success(&binding->target, binding->lane, &permit->held), 1))
        return settled(permit, binding);
    return success(handle);
}

int cb_failure(cb_permit *permit)
{
    return settle(permit, OUTCOME_FAILURE, TOOK_MEASURED);
}

int cb_ignore(cb_permit *permit)
{
    return settle(permit, OUTCOME_IGNORED, TOOK_MEASURED);
}

int cb_settle(cb_permit *permit, enum cb_outcome outcome, uint64_t took_ns)
{
    if ((unsigned)outcome > CB_ABANDONED)
        return -EINVAL;
    return settle(permit, (enum outcome)outcome, took_ns == TOOK_MEASURED ? took_ns - 1 : took_ns);
}

void cb_permit_forget(cb_permit *permit)
{
    settle(permit, OUTCOME_ABANDONED, TOOK_MEASURED);
}

int cb_call(cb_breaker *breaker, cb_operation *operation, void *arg, int *result)
{
    CB_SCOPED cb_permit permit = {0};
    if (!operation)
        return -EINVAL;
    int answer = cb_acquire(breaker, &permit);
    if (answer != CB_ADMITTED)
        return answer;
    int value = operation(arg);
    if (result)
        *result = value;
    settle(&permit,
           value == 0           ? OUTCOME_SUCCESS
           : value == CB_IGNORE ? OUTCOME_IGNORED
                                : OUTCOME_FAILURE,
           TOOK_MEASURED);
    return CB_ADMITTED;
}

int cb_call_with_fallback(cb_breaker *breaker, cb_operation *operation, cb_operation *fallback, void *arg, int *result)
{
    int value = 0;
    if (!fallback)
        return -EINVAL;
    int answer = cb_call(breaker, operation, arg, &value);
    if (answer < 0)
        return answer;
    if (answer != CB_ADMITTED || (value != 0 && value != CB_IGNORE))
        value = fallback(arg);
    if (result)
        *result = value;
    return answer;
}

/* Of a breaker that was removed the slot may be another's by now; the next call makes it anew, closed. */

int cb_would_admit(const cb_breaker *breaker)
{
    if (!breaker)
        return -EINVAL;
    const struct binding *binding = breaker_binding(breaker);
    return binding_current(binding) ? (int)call_query(&binding->membership->segment, binding->slot) : CB_ADMITTED;
}

enum cb_state cb_state_of(const cb_breaker *breaker)
{
    const struct binding *binding = breaker_binding(breaker);
    return binding_current(binding) ? (enum cb_state)call_state(&binding->membership->segment, binding->slot)
                                    : CB_CLOSED;
}

uint64_t cb_retry_after_ms(const cb_breaker *breaker)
{
    const struct binding *binding = breaker_binding(breaker);
    return binding_current(binding) ? call_retry_after_ms(&binding->membership->segment, binding->slot) : 0;
}
