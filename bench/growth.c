/*
 * growth - how the plain pair's cost grows: with processes that share the breaker, with breakers, with calls in flight.
 *
 * Processor time, not time on the clock: there may be more processes than processors.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "tools/progress.h"

#define TURNS     400000u
#define RUNS      7
#define MANY      65000u
#define FLIGHT    10000u
#define PROCESSES 64u

struct growth {
    struct daemon daemon;
    cb_registry *registry;
    cb_breaker **breakers;
    cb_permit *permits;
    struct progress progress;
};

static double cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

/* A call each of `count` breakers in turn, TURNS in all. A stride keeps the processor from guessing the next one. */
static double pairs(const struct growth *growth, unsigned count)
{
    cb_permit permit;
    unsigned at = 0;
    double began = cpu_ns();
    for (unsigned i = 0; i < TURNS; i++) {
        cb_acquire(growth->breakers[at], &permit);
        cb_success(&permit);
        at = (at + 40503) % count;
    }
    return (cpu_ns() - began) / TURNS;
}

/* ---- what grows ---- */

static double with_breakers(struct growth *growth, unsigned breakers)
{
    pairs(growth, breakers);
    return pairs(growth, breakers);
}

static double with_flight(struct growth *growth, unsigned flight)
{
    for (unsigned i = 0; i < flight; i++)
        cb_acquire(growth->breakers[0], &growth->permits[i]);
    pairs(growth, 1);
    double took = pairs(growth, 1);
    for (unsigned i = 0; i < flight; i++)
        cb_success(&growth->permits[i]);
    return took;
}

/* Shared with the processes. */
struct meeting {
    atomic_uint there;
    _Atomic uint64_t picoseconds;
};

_Noreturn static void process_run(struct growth *growth, struct meeting *meeting, unsigned processes)
{
    pairs(growth, 1);
    atomic_fetch_add(&meeting->there, 1);
    while (atomic_load(&meeting->there) < processes)
        usleep(1000);
    atomic_fetch_add(&meeting->picoseconds, (uint64_t)(pairs(growth, 1) * 1000));
    _exit(0);
}

static double with_processes(struct growth *growth, unsigned processes)
{
    static struct meeting *meeting;
    pid_t pids[PROCESSES] = {0};
    if (!meeting && !(meeting = place_shared(sizeof *meeting)))
        return 0;
    *meeting = (struct meeting){0};
    for (unsigned i = 0; i < processes; i++)
        if ((pids[i] = child_fork(SIGKILL)) == 0)
            process_run(growth, meeting, processes);
    for (unsigned i = 0; i < processes; i++)
        child_end(&pids[i], 0);
    return (double)atomic_load(&meeting->picoseconds) / 1000 / processes;
}

/* ---- the table ---- */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void line_print(struct growth *growth, const char *what, double (*measure)(struct growth *, unsigned),
                       const unsigned counts[6])
{
    double took[6][RUNS];
    for (unsigned run = 0; run < RUNS && !interrupted; run++)
        for (unsigned i = 0; i < 6 && !interrupted; i++) {
            progress_say(&growth->progress, "growth: %s, run %u of %d: %u", what, run + 1, RUNS, counts[i]);
            took[i][run] = measure(growth, counts[i]);
        }
    progress_clear(&growth->progress);
    if (interrupted)
        return;
    printf("%-24s", what);
    for (unsigned i = 0; i < 6; i++)
        printf("%9u", counts[i]);
    printf("\n%-24s", "  ns a call");
    for (unsigned i = 0; i < 6; i++) {
        qsort(took[i], RUNS, sizeof **took, compare);
        printf("%9.1f", took[i][RUNS / 2]);
    }
    printf("\n");
    fflush(stdout);
}

static int growth_start(struct growth *growth)
{
    growth->breakers = calloc(MANY, sizeof *growth->breakers);
    growth->permits = calloc(FLIGHT, sizeof *growth->permits);
    if (!growth->breakers || !growth->permits)
        return -1;
    int error = daemon_start(&growth->daemon, "growth", CAPACITY);
    if (error == 0)
        error = cb_attach(growth->daemon.registry, &growth->registry);
    for (unsigned i = 0; i < MANY && error == 0 && !interrupted; i++) {
        char name[FILL_NAME_SIZE];
        snprintf(name, sizeof name, "growth/%u", i);
        error = cb_get_or_create(growth->registry, name, NULL, &growth->breakers[i]);
    }
    return error;
}

int main(void)
{
    struct growth growth = {0};
    interrupt_catch();
    progress_begin(&growth.progress);
    int error = growth_start(&growth);
    if (error)
        fprintf(stderr, "growth: %s; %s\n", cb_strerror(error), cb_last_error());
    if (error == 0) {
        line_print(&growth, "processes, one breaker", with_processes, (unsigned[]){1, 2, 4, 8, 16, PROCESSES});
        line_print(&growth, "breakers, in turn", with_breakers, (unsigned[]){1, 10, 100, 1000, 10000, MANY});
        line_print(&growth, "calls in flight before", with_flight, (unsigned[]){0, 4, 8, 100, 1000, FLIGHT});
    }
    cb_detach(&growth.registry);
    daemon_stop(&growth.daemon);
    free(growth.breakers);
    free(growth.permits);
    return error || interrupted ? 2 : 0;
}
