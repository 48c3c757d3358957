/*
 * callmany - many calls of one kind, for a tool that counts instructions.
 *
 *     callmany KIND COUNT
 *
 * The calls that count are made in counted(), after as many to warm up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void succeed(cb_breaker *breaker, unsigned count)
{
    cb_permit permit;
    for (unsigned i = 0; i < count; i++) {
        cb_acquire(breaker, &permit);
        cb_success(&permit);
    }
}

static void fail(cb_breaker *breaker, unsigned count)
{
    cb_permit permit;
    for (unsigned i = 0; i < count; i++) {
        cb_acquire(breaker, &permit);
        cb_failure(&permit);
    }
}

static void ask(cb_breaker *breaker, unsigned count)
{
    cb_permit permit;
    for (unsigned i = 0; i < count; i++)
        cb_acquire(breaker, &permit);
}

static const struct kind {
    const char *name, *policy;
    void (*run)(cb_breaker *, unsigned count);
} kinds[] = {
    {"closed", "", succeed},
    {"window-time", "window=time:10s failure_rate_threshold=50", succeed},
    {"window-count", "window=count:100 failure_rate_threshold=50", succeed},
    {"timed", "timing=precise slow_call_duration=1s", succeed},
    {"call-timeout", "call_timeout=1h", succeed},
    {"limited", "max_concurrent=100", succeed},
    {"failure", "failure_threshold=1000000", fail},
    {"rejected", "open_timeout=1h", ask},
};

/* Not inlined and known by its name: the tool counts in here only. */
__attribute__((noinline)) void counted(const struct kind *kind, cb_breaker *breaker, unsigned count);
void counted(const struct kind *kind, cb_breaker *breaker, unsigned count)
{
    kind->run(breaker, count);
}

static int calls_make(cb_registry *registry, const struct kind *kind, unsigned count)
{
    cb_breaker *breaker;
    int error = cb_get_or_create(registry, kind->name, kind->policy, &breaker);
    if (error == 0 && kind->run == ask)
        error = cb_trip(breaker, NULL);
    if (error == 0) {
        kind->run(breaker, count);
        counted(kind, breaker, count);
    }
    return error;
}

static const struct kind *kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int main(int argc, char **argv)
{
    struct daemon daemon;
    cb_registry *registry = NULL;
    const struct kind *kind = argc == 3 ? kind_find(argv[1]) : NULL;
    if (!kind) {
        fprintf(stderr, "usage: callmany KIND COUNT\n");
        return 2;
    }
    interrupt_catch();
    int error = daemon_start(&daemon, "count", 64);
    if (error == 0)
        error = cb_attach(daemon.registry, &registry);
    if (error == 0)
        error = calls_make(registry, kind, (unsigned)strtoul(argv[2], NULL, 10));
    if (error)
        fprintf(stderr, "callmany: %s; %s\n", cb_strerror(error), cb_last_error());
    cb_detach(&registry);
    daemon_stop(&daemon);
    return error ? 2 : 0;
}
