/*
 * cbbench - what a protected call costs, against baselines measured in the same run.
 *
 *     cbbench [--json] [GROUP]        GROUP: call, trip, create, list, get, crowd, memory; none: all
 *
 * Starts a registry of its own and removes it. Exit code: 0, all limits kept; 1, one was missed; 2, it could not run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "print.h"
#include "row.h"
#include "tools/progress.h"

static int breakers_create(struct bench *bench)
{
    static const struct {
        const char *name, *policy;
    } wanted[BREAKERS] = {
        [BREAKER_PLAIN] = {"plain", ""},
        [BREAKER_WINDOW_TIME] = {"window-time", "window=time:10s failure_rate_threshold=50"},
        [BREAKER_WINDOW_COUNT] = {"window-count", "window=count:100 failure_rate_threshold=50"},
        [BREAKER_TIMED] = {"timed", "timing=precise slow_call_duration=1s"},
        [BREAKER_OPEN] = {"open", "open_timeout=1h"},
        [BREAKER_FAILING] = {"failing", "failure_threshold=1000000"},
        [BREAKER_TRIPPED] = {"tripped", "failure_threshold=1 open_timeout=1h"},
    };
    for (unsigned i = 0; i < BREAKERS; i++) {
        int error = cb_get_or_create(bench->registry, wanted[i].name, wanted[i].policy, &bench->breakers[i]);
        if (error)
            return error;
    }
    return cb_trip(bench->breakers[BREAKER_OPEN], NULL);
}

static int bench_start(struct bench *bench)
{
    int error = daemon_start(&bench->daemon, "bench", CAPACITY);
    if (error == 0)
        error = cb_attach(bench->daemon.registry, &bench->registry);
    if (error == 0)
        error = breakers_create(bench);
    if (error)
        fprintf(stderr, "cbbench: %s; %s\n", cb_strerror(error), cb_last_error());
    return error;
}

/* What is the same whenever it is asked for is asked once; what takes seconds, less often. */
static unsigned runs_of(enum group group)
{
    return group == GROUP_MEMORY ? 1 : group == GROUP_CROWD ? RUNS / 3 : RUNS;
}

static void group_run(struct bench *bench, enum group group, struct samples *samples, struct progress *progress)
{
    for (unsigned run = 0; run <= runs_of(group); run++) {
        for (enum row_id id = 0; id < ROWS && !interrupted; id++) {
            if (rows[id].group != group)
                continue;
            progress_say(progress, "cbbench: %s, run %u of %u: %s", group_names[group], run, runs_of(group),
                         rows[id].what);
            double value = rows[id].measure(bench, rows[id].argument);
            if (run > 0 && value >= 0) /* the first is for warming up */
                samples->value[id][samples->count[id]++] = value;
        }
    }
}

/* What the command line asks for. False: nothing that there is. */
static bool arguments_read(char **argument, struct samples *samples, bool *json)
{
    *json = *argument && strcmp(*argument, "--json") == 0;
    argument += *json;
    const char *name = *argument;
    bool known = name == NULL;
    for (enum group group = 0; group < GROUPS; group++) {
        samples->asked[group] = name == NULL || strcmp(name, group_names[group]) == 0;
        known |= samples->asked[group];
    }
    return known && (name == NULL || argument[1] == NULL);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static struct samples samples;
    struct progress progress;
    bool json;
    if (argc < 1 || !arguments_read(argv + 1, &samples, &json)) {
        fprintf(stderr, "usage: cbbench [--json] [call | trip | create | list | get | crowd | memory]\n");
        return 2;
    }
    interrupt_catch();
    getloadavg(&samples.load, 1);
    place_count(); /* notes which processors there are, before any pinning */
    int error = bench_start(&bench);
    place_at(0);
    progress_begin(&progress);
    for (enum group group = 0; group < GROUPS && error == 0; group++)
        if (samples.asked[group])
            group_run(&bench, group, &samples, &progress);
    progress_clear(&progress);
    crowd_end();
    cb_detach(&bench.registry);
    daemon_stop(&bench.daemon);
    if (error || interrupted)
        return 2;
    return (json ? print_json(&samples) : print_table(&samples)) > 0;
}
