/* cbctl history: what has happened. */
#include <stdio.h>

#include "commands.h"
#include "event.h"
#include "event_json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

enum { TIME, BREAKER, FROM, WHAT, WHO, REASON };

static const struct column columns[] = {
    [TIME] = {.heading = "TIME"}, [BREAKER] = {.heading = "BREAKER", .shrinks = true},
    [FROM] = {.heading = "FROM"}, [WHAT] = {.heading = "WHAT", .shrinks = true},
    [WHO] = {.heading = "WHO"},   [REASON] = {.heading = "REASON", .shrinks = true},
};

static int event_row(const struct cb_event *event, void *arg)
{
    struct table *table = arg;
    char text[EVENT_TEXT], what[EVENT_TEXT + 32];
    table_row(table);
    table_text(table, TIME, event_time(event, text));
    table_text(table, BREAKER, event->name);
    if (event->from != event->to && event->from >= 0)
        table_state(table, FROM, event->from);
    else
        table_text(table, FROM, "");
    snprintf(what, sizeof what, "%s%s", event->text, event->filled ? " (filled in)" : "");
    table_text(table, WHAT, what);
    table_text(table, WHO, event_actor(event, text));
    table_text(table, REASON, event->reason);
    return 0;
}

static int event_line(const struct cb_event *event, void *unused)
{
    (void)unused;
    json_line(json_event(event));
    return 0;
}

static int history_table(cb_registry *registry, const char *name)
{
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    if (!table)
        return EXIT_FAILED;
    int error = cb_history(registry, name, event_row, table);
    if (!error)
        table_print(table);
    table_destroy(table);
    return error;
}

int command_history(const struct options *options)
{
    cb_registry *registry;
    const char *name = options->argc ? options->argv[0] : NULL;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    int error = options->json ? cb_history(registry, name, event_line, NULL) : history_table(registry, name);
    if (error)
        code = report_error(name ? name : cb_registry_name(registry), error);
    cb_detach(&registry);
    return code;
}
