/* cbctl workers: the processes that are attached. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "duration.h"
#include "json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

enum { PID, COMMAND, CALLS, UP, LANE };

static const struct column columns[] = {
    [PID] = {.heading = "PID", .number = true},     [COMMAND] = {.heading = "COMMAND"},
    [CALLS] = {.heading = "CALLS", .number = true}, [UP] = {.heading = "UP", .number = true},
    [LANE] = {.heading = "LANE", .number = true},
};

struct crew {
    struct table *table; /* one of the two */
    json_t *json;
    unsigned count;
};

static uint64_t age_ms(const struct cb_worker *worker)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    uint64_t since_boot = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return since_boot > worker->started_ms ? since_boot - worker->started_ms : 0;
}

static void worker_row(struct table *table, const struct cb_worker *worker)
{
    char text[DURATION_TEXT];
    table_row(table);
    snprintf(text, sizeof text, "%" PRIu32, worker->pid);
    table_text(table, PID, text);
    table_text(table, COMMAND, worker->command);
    table_count(table, CALLS, worker->in_flight);
    table_text(table, UP, duration_text(age_ms(worker), text));
    table_count(table, LANE, worker->lane);
}

static json_t *worker_json(const struct cb_worker *worker)
{
    return json_pack("{s:I, s:o, s:I, s:I, s:I, s:I}", "pid", (json_int_t)worker->pid, "command",
                     json_text(worker->command), "in_flight", (json_int_t)worker->in_flight, "lane",
                     (json_int_t)worker->lane, "started_ms", (json_int_t)worker->started_ms, "age_ms",
                     (json_int_t)age_ms(worker));
}

static int worker_visit(const struct cb_worker *worker, void *arg)
{
    struct crew *crew = arg;
    if (worker->pid == (uint32_t)getpid()) /* who asks is not who works */
        return 0;
    crew->count++;
    if (crew->json)
        json_array_append_new(crew->json, worker_json(worker));
    else
        worker_row(crew->table, worker);
    return 0;
}

static void crew_print(const struct crew *crew, const char *registry)
{
    if (crew->json)
        json_print(json_incref(crew->json));
    else if (crew->count)
        table_print(crew->table);
    else
        fprintf(stderr, "no process is attached to registry '%s'\n", registry);
}

int command_workers(const struct options *options)
{
    cb_registry *registry;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    struct crew crew = {.count = 0};
    if (options->json)
        crew.json = json_array();
    else
        crew.table = table_create(columns, sizeof columns / sizeof *columns);
    int error = cb_list_workers(registry, worker_visit, &crew);
    if (error)
        code = report_error(cb_registry_name(registry), error);
    else
        crew_print(&crew, cb_registry_name(registry));
    table_destroy(crew.table);
    json_decref(crew.json);
    cb_detach(&registry);
    return code;
}
