/* cbctl list: one line a breaker. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "duration.h"
#include "json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

enum { NAME, STATE, CALLS, OK, FAIL, SLOW, REJECTED, LOST, TRANSITIONS, NEXT, REASON };

static const struct column columns[] = {
    [NAME] = {.heading = "NAME", .shrinks = true},
    [STATE] = {.heading = "STATE"},
    [CALLS] = {.heading = "CALLS", .number = true},
    [OK] = {.heading = "OK", .number = true},
    [FAIL] = {.heading = "FAIL", .number = true},
    [SLOW] = {.heading = "SLOW", .number = true},
    [REJECTED] = {.heading = "REJECTED", .number = true},
    [LOST] = {.heading = "LOST", .number = true},
    [TRANSITIONS] = {.heading = "TRANSITIONS", .number = true},
    [NEXT] = {.heading = "NEXT", .number = true},
    [REASON] = {.heading = "REASON"},
};

struct listing {
    const char *pattern; /* NULL: all */
    bool names;          /* only these */
    json_t *json;        /* one of these two, unless names only */
    struct table *table;
    unsigned shown;
};

/* When something happens by itself: the next probe, or the end of an override. */
static const char *next_text(const struct cb_health *health, char out[DURATION_TEXT])
{
    bool imposed = health->override_left_ms != 0;
    uint64_t left = imposed ? health->override_left_ms : health->retry_after_ms;
    if (left == UINT64_MAX)
        return "never";
    return left ? duration_text(left, out) : "";
}

static void row_add(struct table *table, const struct cb_health *health)
{
    char next[DURATION_TEXT];
    const struct cb_snapshot *counts = &health->counts;
    table_row(table);
    table_text(table, NAME, health->name);
    table_state(table, STATE, (int)counts->state);
    table_count(table, CALLS, counts->in_flight);
    table_count(table, OK, counts->successes);
    table_count(table, FAIL, counts->failures);
    table_count(table, SLOW, counts->slow);
    table_count(table, REJECTED, counts->rejected);
    table_count(table, LOST, counts->abandoned + counts->overdue);
    table_count(table, TRANSITIONS, counts->transitions);
    table_text(table, NEXT, next_text(health, next));
    if (table_narrow())
        table_note(table, health->name, health->override_reason);
    else
        table_text(table, REASON, health->override_reason);
}

static int breaker_visit(const struct cb_health *health, void *arg)
{
    struct listing *listing = arg;
    if (listing->pattern && fnmatch(listing->pattern, health->name, 0))
        return 0;
    listing->shown++;
    if (listing->names)
        puts(health->name);
    else if (listing->json)
        json_array_append_new(listing->json, json_health(health));
    else
        row_add(listing->table, health);
    return 0;
}

static int listing_print(const struct listing *listing, const char *registry)
{
    if (listing->json)
        json_print(json_incref(listing->json));
    else if (listing->table && listing->shown)
        table_print(listing->table);
    if (listing->shown || listing->names)
        return EXIT_DONE;
    if (listing->pattern)
        return report(EXIT_NO_BREAKER, "no breaker in registry '%s' matches '%s'", registry, listing->pattern);
    if (!listing->json)
        fprintf(stderr, "registry '%s' has no breakers yet\n", registry);
    return EXIT_DONE;
}

int command_list(const struct options *options)
{
    cb_registry *registry;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    struct listing listing = {.pattern = options->argc ? options->argv[0] : NULL, .names = options->names};
    if (options->json)
        listing.json = json_array();
    else if (!options->names)
        listing.table = table_create(columns, table_narrow() ? REASON : REASON + 1);
    int error = cb_list(registry, breaker_visit, &listing);
    if (error)
        code = report_error(cb_registry_name(registry), error);
    else
        code = listing_print(&listing, cb_registry_name(registry));
    table_destroy(listing.table);
    json_decref(listing.json);
    cb_detach(&registry);
    return code;
}
