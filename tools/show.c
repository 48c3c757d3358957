/* cbctl show: everything about one breaker. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "duration.h"
#include "event.h"
#include "json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

#define RECENT 8 /* events shown */

static void label(const char *name)
{
    printf("  %-10s ", name);
}

static void head_print(const struct cb_health *health)
{
    int state = (int)health->counts.state;
    const char *colour = state_colour(state);
    char text[DURATION_TEXT];
    printf("%s  %s%s%s", health->name, colour, cb_state_name((enum cb_state)state), *colour ? COLOUR_END : "");
    if (state == CB_OPEN)
        printf("  next probe in %s", duration_text(health->retry_after_ms, text));
    putchar('\n');
    label("policy");
    puts(*health->policy ? health->policy : "all defaults");
}

static void override_print(const struct cb_health *health)
{
    if (!health->override_left_ms)
        return;
    char user[EVENT_TEXT], left[DURATION_TEXT];
    label("override");
    printf("by %s (pid %" PRIu32 "), ", user_name(health->override_uid, user), health->override_pid);
    if (health->override_left_ms == UINT64_MAX)
        printf("until `cbctl auto`");
    else
        printf("for another %s", duration_text(health->override_left_ms, left));
    if (*health->override_reason)
        printf(": %s", health->override_reason);
    putchar('\n');
}

static void counts_print(const struct cb_snapshot *counts)
{
    label("in flight");
    printf("%" PRIu64 "\n", counts->in_flight);
    label("outcomes");
    printf("%" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64 " ignored", counts->successes, counts->failures,
           counts->ignored);
    printf(", %" PRIu64 " abandoned, %" PRIu64 " overdue; %" PRIu64 " slow\n", counts->abandoned, counts->overdue,
           counts->slow);
    label("rejected");
    printf("%" PRIu64, counts->rejected);
    if (counts->rejected)
        printf(" (%" PRIu64 " open, %" PRIu64 " probes, %" PRIu64 " concurrency)", counts->rejected_open,
               counts->rejected_probes, counts->rejected_concurrency);
    putchar('\n');
}

static void rates_print(const struct cb_health *health)
{
    if (health->streak) {
        label("streak");
        printf("%" PRIu64 " %s in a row\n", health->streak, health->streak == 1 ? "failure" : "failures");
    }
    if (health->window_calls) {
        label("window");
        printf("%" PRIu64 " calls: %.1f%% failed, %.1f%% slow\n", health->window_calls, health->failure_rate,
               health->slow_call_rate);
    }
}

static const char *latency_text(uint64_t us, char out[DURATION_TEXT])
{
    if (us < 1000)
        snprintf(out, DURATION_TEXT, "%" PRIu64 "us", us);
    else if (us < 1000000)
        snprintf(out, DURATION_TEXT, "%.3gms", (double)us / 1e3);
    else
        snprintf(out, DURATION_TEXT, "%.3gs", (double)us / 1e6);
    return out;
}

static void latency_print(const struct cb_health *health)
{
    if (!health->latency_count)
        return;
    char p50[DURATION_TEXT], p95[DURATION_TEXT], p99[DURATION_TEXT];
    label("latency");
    printf("p50 %s, p95 %s, p99 %s (%" PRIu64 " calls timed)\n", latency_text(health->latency_p50_us, p50),
           latency_text(health->latency_p95_us, p95), latency_text(health->latency_p99_us, p99), health->latency_count);
}

struct recent {
    struct cb_event events[RECENT];
    uint64_t seen;
};

static int event_keep(const struct cb_event *event, void *arg)
{
    struct recent *recent = arg;
    recent->events[recent->seen++ % RECENT] = *event;
    return 0;
}

static void event_print(const struct cb_event *event)
{
    char age[DURATION_TEXT], change[EVENT_TEXT], cause[EVENT_TEXT], actor[EVENT_TEXT];
    const char *from = cb_state_name((enum cb_state)event->from), *to = cb_state_name((enum cb_state)event->to);
    snprintf(change, sizeof change, event->from == event->to ? "%s" : "%s -> %s", from, to);
    printf("%7s ago  %-24s %s, by %s\n", duration_text(event_age_ms(event), age), change, event_cause(event, cause),
           event_actor(event, actor));
}

static void history_print(cb_registry *registry, const char *name)
{
    struct recent recent = {.seen = 0};
    if (cb_history(registry, name, event_keep, &recent) || !recent.seen)
        return;
    uint64_t first = recent.seen > RECENT ? recent.seen - RECENT : 0;
    for (uint64_t i = first; i < recent.seen; i++) {
        label(i == first ? "history" : "");
        event_print(&recent.events[i % RECENT]);
    }
    if (first) {
        label("");
        printf("%" PRIu64 " before these: `cbctl history %s`\n", first, name);
    }
}

static void show_print(cb_registry *registry, const struct cb_health *health)
{
    head_print(health);
    override_print(health);
    counts_print(&health->counts);
    rates_print(health);
    latency_print(health);
    history_print(registry, health->name);
}

int command_show(const struct options *options)
{
    cb_registry *registry;
    cb_breaker *breaker;
    int code = registry_open_breaker(options, &registry, &breaker);
    if (code)
        return code;
    struct cb_health health;
    int error = cb_health_of(breaker, &health, sizeof health);
    if (error)
        code = report_error(options->argv[0], error);
    else if (options->json)
        json_print(json_health(&health));
    else
        show_print(registry, &health);
    cb_detach(&registry);
    return code;
}
