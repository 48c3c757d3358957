/* cbctl history: the registry's journal. */
#include <stdio.h>

#include "commands.h"
#include "event.h"
#include "json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

enum { TIME, BREAKER, STATE, CAUSE, BY };

static const struct column columns[] = {
    [TIME] = {.heading = "TIME"},   [BREAKER] = {.heading = "BREAKER", .shrinks = true},
    [STATE] = {.heading = "STATE"}, [CAUSE] = {.heading = "CAUSE"},
    [BY] = {.heading = "BY"},
};

static int event_row(const struct cb_event *event, void *arg)
{
    struct table *table = arg;
    char text[EVENT_TEXT];
    table_row(table);
    table_text(table, TIME, event_time(event, text));
    table_text(table, BREAKER, *event->name ? event->name : "(removed)");
    table_state(table, STATE, event->to);
    table_text(table, CAUSE, event_cause(event, text));
    table_text(table, BY, event_actor(event, text));
    return 0;
}

static int event_json(const struct cb_event *event, void *arg)
{
    json_t *object = json_pack(
        "{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "sequence", (json_int_t)event->sequence, "time_ms",
        (json_int_t)event->time_ms, "age_ms", (json_int_t)event_age_ms(event), "name", event->name, "from",
        cb_state_name((enum cb_state)event->from), "to", cb_state_name((enum cb_state)event->to), "cause", event->cause,
        "value", (json_int_t)event->value, "pid", (json_int_t)event->pid, "uid", (json_int_t)event->uid);
    json_array_append_new(arg, object);
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

static int history_json(cb_registry *registry, const char *name)
{
    json_t *array = json_array();
    int error = cb_history(registry, name, event_json, array);
    if (!error)
        json_print(json_incref(array));
    json_decref(array);
    return error;
}

int command_history(const struct options *options)
{
    cb_registry *registry;
    const char *name = options->argc ? options->argv[0] : NULL;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    int error = options->json ? history_json(registry, name) : history_table(registry, name);
    if (error)
        code = report_error(name ? name : cb_registry_name(registry), error);
    cb_detach(&registry);
    return code;
}
