/* cbctl calls: what is in flight, and since when. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "duration.h"
#include "json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

enum { NAME, PID, COMMAND, AGE, PROBE, PLACE };

static const struct column columns[] = {
    [NAME] = {.heading = "NAME", .shrinks = true},
    [PID] = {.heading = "PID", .number = true},
    [COMMAND] = {.heading = "COMMAND"},
    [AGE] = {.heading = "AGE", .number = true},
    [PROBE] = {.heading = "PROBE"},
    [PLACE] = {.heading = "PLACE"},
};

struct flights {
    const char *name;    /* NULL: all */
    struct table *table; /* one of the two */
    json_t *json;
    unsigned count;
};

/* Rounded down: what is to come is rounded up by duration_text(), but this has been. */
static const char *age_text(const struct cb_inflight *call, char out[DURATION_TEXT + 4])
{
    char text[DURATION_TEXT];
    uint64_t age_ms = call->age_ms;
    if (age_ms == UINT64_MAX)
        return "";
    if (age_ms > 1000)
        age_ms -= age_ms % 1000;
    snprintf(out, DURATION_TEXT + 4, "%s%s", call->exact ? "" : ">= ", duration_text(age_ms, text));
    return out;
}

static void call_row(struct table *table, const struct cb_inflight *call)
{
    char text[DURATION_TEXT + 4];
    table_row(table);
    table_text(table, NAME, call->name);
    snprintf(text, sizeof text, "%" PRIu32, call->pid);
    table_text(table, PID, text);
    table_text(table, COMMAND, call->command);
    table_text(table, AGE, age_text(call, text));
    table_text(table, PROBE, call->probe ? "yes" : "");
    table_text(table, PLACE, call->place ? "yes" : "");
}

static json_t *call_json(const struct cb_inflight *call)
{
    return json_pack("{s:s, s:I, s:o, s:o, s:b, s:b, s:b}", "name", call->name, "pid", (json_int_t)call->pid, "command",
                     json_text(call->command), "age_ms", json_count(call->age_ms), "exact", call->exact, "probe",
                     call->probe, "place", call->place);
}

static int call_visit(const struct cb_inflight *call, void *arg)
{
    struct flights *flights = arg;
    if (flights->name && strcmp(call->name, flights->name) != 0)
        return 0;
    flights->count++;
    if (flights->json)
        json_array_append_new(flights->json, call_json(call));
    else
        call_row(flights->table, call);
    return 0;
}

static void flights_print(const struct flights *flights, const char *registry)
{
    if (flights->json)
        json_print(json_incref(flights->json));
    else if (flights->count)
        table_print(flights->table);
    else if (flights->name)
        fprintf(stderr, "no call of '%s' is in flight\n", flights->name);
    else
        fprintf(stderr, "no call is in flight in registry '%s'\n", registry);
}

static int calls_list(cb_registry *registry, const struct options *options)
{
    struct flights flights = {.name = options->argc ? options->argv[0] : NULL};
    if (options->json)
        flights.json = json_array();
    else
        flights.table = table_create(columns, sizeof columns / sizeof *columns);
    int code = EXIT_DONE, error = cb_list_calls(registry, call_visit, &flights);
    if (error)
        code = report_error(cb_registry_name(registry), error);
    else
        flights_print(&flights, cb_registry_name(registry));
    table_destroy(flights.table);
    json_decref(flights.json);
    return code;
}

int command_calls(const struct options *options)
{
    cb_registry *registry;
    cb_breaker *breaker;
    int code = options->argc ? registry_open_breaker(options, &registry, &breaker) : registry_open(options, &registry);
    if (code)
        return code;
    code = calls_list(registry, options);
    cb_detach(&registry);
    return code;
}
