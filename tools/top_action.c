/* What an operator does from `cbctl top`. */
#include <stdarg.h>
#include <stdio.h>

#include "duration.h"
#include "top.h"

static const struct {
    const char *name, *effect;
    enum cb_state state; /* of an override */
} acts[ACT_COUNT] = {
    [ACT_TRIP] = {"trip", "it opens now, for its usual time", CB_OPEN},
    [ACT_RESET] = {"reset", "it closes, forgets its failures, and an override ends", CB_CLOSED},
    [ACT_FORCE_OPEN] = {"force-open", "every call is rejected", CB_FORCED_OPEN},
    [ACT_DISABLE] = {"disable", "every call is admitted, nothing is counted", CB_DISABLED},
    [ACT_METRICS_ONLY] = {"metrics-only", "every call is admitted and counted, nothing trips", CB_METRICS_ONLY},
    [ACT_AUTO] = {"auto", "its override ends, and it is closed", CB_CLOSED},
};

const char *action_name(enum top_act act)
{
    return acts[act].name;
}

const char *action_effect(enum top_act act)
{
    return acts[act].effect;
}

__attribute__((format(printf, 3, 4))) static void say(struct top *top, bool failed, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(top->message, sizeof top->message, format, arguments);
    va_end(arguments);
    top->failed = failed;
}

static int breaker_act(cb_breaker *breaker, const struct top_action *action)
{
    const char *reason = *action->reason ? action->reason : NULL;
    if (action->act == ACT_TRIP)
        return cb_trip(breaker, reason);
    if (action->act == ACT_RESET)
        return cb_reset(breaker, reason);
    return cb_override(breaker, acts[action->act].state, action->for_ms, reason);
}

static void say_result(struct top *top, const struct cb_health *health)
{
    char text[DURATION_TEXT];
    const char *state = cb_state_name((enum cb_state)health->counts.state);
    if (health->override_left_ms == UINT64_MAX)
        say(top, false, "%s: %s until it is ended", health->name, state);
    else if (health->override_left_ms)
        say(top, false, "%s: %s for %s", health->name, state, duration_text(health->override_left_ms, text));
    else if (health->counts.state == CB_OPEN)
        say(top, false, "%s: open, next probe in %s", health->name, duration_text(health->retry_after_ms, text));
    else
        say(top, false, "%s: %s", health->name, state);
}

void action_do(struct top *top)
{
    const struct top_action *action = &top->action;
    cb_breaker *breaker;
    struct cb_health health;
    if (top->beat.known && !top->beat.up) { /* do not wait for what is known */
        say(top, true, "%s: not done: registryd does not answer, and only it can change breakers", action->name);
        return;
    }
    int error = cb_get(top->registry, action->name, &breaker);
    if (!error)
        error = breaker_act(breaker, action);
    if (!error)
        error = cb_health_of(breaker, &health, sizeof health);
    if (error)
        say(top, true, "%s: not done: %s", action->name, cb_last_error());
    else
        say_result(top, &health);
    top->stale = true;
}
