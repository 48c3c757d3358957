/* cbctl show: everything about one breaker. */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "duration.h"
#include "event.h"
#include "health.h"
#include "json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

#define RECENT 8 /* events shown */

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
        label_write(stdout, i == first ? "history" : "");
        event_print(&recent.events[i % RECENT]);
    }
    if (first) {
        label_write(stdout, "");
        printf("%" PRIu64 " before these: `cbctl history %s`\n", first, name);
    }
}

static void show_print(cb_registry *registry, const struct cb_health *health)
{
    health_write(stdout, health, state_colour((int)health->counts.state));
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
