/* What an operator does to one breaker, by way of the daemon. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "duration.h"
#include "json.h"
#include "registry.h"
#include "report.h"

/* A step on a breaker that exists; returns what the library says. */
typedef int control(cb_breaker *, const struct options *);

static const char *policy_of(const struct cb_health *health)
{
    return *health->policy ? health->policy : "all defaults";
}

static void state_print(const struct cb_health *health)
{
    char text[DURATION_TEXT];
    printf("%s: %s", health->name, cb_state_name((enum cb_state)health->counts.state));
    if (health->override_left_ms == UINT64_MAX)
        printf(" until `cbctl auto %s`", health->name);
    else if (health->override_left_ms)
        printf(" for %s", duration_text(health->override_left_ms, text));
    else if (health->counts.state == CB_OPEN)
        printf(", next probe in %s", duration_text(health->retry_after_ms, text));
    putchar('\n');
}

static void policy_print(const struct cb_health *health)
{
    printf("%s: %s\n", health->name, policy_of(health));
}

static int result_print(cb_breaker *breaker, const struct options *options, void print(const struct cb_health *))
{
    struct cb_health health;
    int error = cb_health_of(breaker, &health, sizeof health);
    if (error)
        return error;
    if (options->json)
        json_print(json_health(&health));
    else if (print)
        print(&health);
    return 0;
}

static int control_report(const struct options *options, const char *subject, int error)
{
    return error == CB_EUNREACHABLE ? registry_report_unreachable(options) : report_error(subject, error);
}

static int control_run(const struct options *options, control *act, void print(const struct cb_health *))
{
    cb_registry *registry;
    cb_breaker *breaker;
    int code = registry_open_breaker(options, &registry, &breaker);
    if (code)
        return code;
    int error = act(breaker, options);
    if (!error && print)
        error = result_print(breaker, options, print);
    if (error < 0)
        code = control_report(options, options->argv[0], error);
    cb_detach(&registry);
    return code;
}

static int trip(cb_breaker *breaker, const struct options *options)
{
    return cb_trip(breaker, options->reason);
}

static int reset(cb_breaker *breaker, const struct options *options)
{
    return cb_reset(breaker, options->reason);
}

static int force_open(cb_breaker *breaker, const struct options *options)
{
    return cb_override(breaker, CB_FORCED_OPEN, options->for_ms, options->reason);
}

static int disable(cb_breaker *breaker, const struct options *options)
{
    return cb_override(breaker, CB_DISABLED, options->for_ms, options->reason);
}

static int metrics_only(cb_breaker *breaker, const struct options *options)
{
    return cb_override(breaker, CB_METRICS_ONLY, options->for_ms, options->reason);
}

static int automatic(cb_breaker *breaker, const struct options *options)
{
    return cb_override(breaker, CB_CLOSED, 0, options->reason);
}

int command_trip(const struct options *options)
{
    return control_run(options, trip, state_print);
}

int command_force_open(const struct options *options)
{
    return control_run(options, force_open, state_print);
}

int command_disable(const struct options *options)
{
    return control_run(options, disable, state_print);
}

int command_metrics_only(const struct options *options)
{
    return control_run(options, metrics_only, state_print);
}

int command_auto(const struct options *options)
{
    return control_run(options, automatic, state_print);
}

static int reset_all(const struct options *options)
{
    cb_registry *registry;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    int error = cb_reset_all(registry, options->reason);
    if (error)
        code = control_report(options, cb_registry_name(registry), error);
    else if (options->json)
        json_print(json_pack("{s:s, s:b}", "registry", cb_registry_name(registry), "reset", 1));
    else
        printf("registry '%s': all breakers reset\n", cb_registry_name(registry));
    cb_detach(&registry);
    return code;
}

int command_reset(const struct options *options)
{
    if (options->all == (options->argc == 1))
        return report(EXIT_USAGE, "reset: either a NAME or --all");
    return options->all ? reset_all(options) : control_run(options, reset, state_print);
}

static int forget(cb_breaker *breaker, const struct options *options)
{
    int error = cb_remove(breaker, options->reason);
    if (error)
        return error;
    if (options->json)
        json_print(json_pack("{s:s, s:b}", "name", options->argv[0], "removed", 1));
    else
        printf("%s: removed\n", options->argv[0]);
    return 0;
}

int command_remove(const struct options *options)
{
    return control_run(options, forget, NULL);
}

/* The arguments behind the name, as one policy text. NULL: no memory. */
static char *policy_join(const struct options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    for (int i = 1; i < options->argc; i++)
        fprintf(stream, "%s%s", i > 1 ? " " : "", options->argv[i]);
    return fclose(stream) ? NULL : text;
}

static int policy_set(cb_breaker *breaker, const struct options *options)
{
    char *policy = policy_join(options);
    int error = policy ? cb_set_policy(breaker, policy) : -ENOMEM;
    free(policy);
    return error;
}

int command_set(const struct options *options)
{
    return control_run(options, policy_set, policy_print);
}

/* A breaker that was there before keeps its policy; the operator must know which. */
static int existing_report(cb_breaker *breaker, const struct options *options, int answer)
{
    struct cb_health health;
    int error = cb_health_of(breaker, &health, sizeof health);
    if (error)
        return report_error(options->argv[0], error);
    if (answer == CB_POLICY_DIFFERS)
        return report(EXIT_FAILED, "'%s' exists, with another policy: %s; `cbctl set` changes it", health.name,
                      policy_of(&health));
    if (options->json)
        json_print(json_health(&health));
    else
        printf("%s: exists already, with this policy\n", health.name);
    return EXIT_DONE;
}

static int breaker_create(cb_registry *registry, const struct options *options, const char *policy)
{
    cb_breaker *breaker;
    const char *name = options->argv[0];
    bool existed = !cb_get(registry, name, &breaker);
    int error = cb_get_or_create(registry, name, policy, &breaker);
    if (error < 0)
        return control_report(options, name, error);
    if (existed || error == CB_POLICY_DIFFERS)
        return existing_report(breaker, options, error);
    error = result_print(breaker, options, policy_print);
    return error ? report_error(name, error) : EXIT_DONE;
}

int command_create(const struct options *options)
{
    cb_registry *registry;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    char *policy = policy_join(options);
    code = policy ? breaker_create(registry, options, policy) : report(EXIT_FAILED, "out of memory");
    free(policy);
    cb_detach(&registry);
    return code;
}
