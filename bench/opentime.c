/*
 * opentime - how long an outage lasts until every worker fails fast, and what that costs.
 *
 *     opentime [TIMEOUT_MS]        400 if not given
 *
 * W worker processes call a dependency that hangs; each gives up after T. Their first calls are spread evenly over one T,
 * and whoever has timed out calls again at once. A worker is done when it is rejected for the first time. What the
 * formulas below say stands beside what was measured.
 */
#include <math.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"

#define THRESHOLD   5
#define MEASURED_TO 16
#define PAPER_TO    1000
#define SHARE       4 /* call_timeout is T / SHARE */

enum way {
    WAY_EACH,    /* a breaker each */
    WAY_SHARED,  /* one for all */
    WAY_OVERDUE, /* one for all, with call_timeout */
    WAYS
};

struct outcome {
    double seconds;  /* until every worker fails fast */
    unsigned waited; /* calls that had to wait for the time-out */
};

/* Shared with the workers. */
struct stage {
    atomic_uint ready;
    atomic_uint waited;
    _Atomic uint64_t begins_ns; /* 0: not yet */
    _Atomic uint64_t last_ns;   /* when the last of them was rejected */
};

struct outage {
    struct daemon daemon;
    struct stage *stage;
    int hung[2]; /* the dependency: never says a word */
    unsigned timeout_ms;
};

/* What a worker is given. */
struct task {
    char registry[80], breaker[32], policy[80];
    uint64_t offset_ns; /* of its first call, from the beginning of the outage */
};

/* ---- on paper ---- */

/*
 * Shared: calls begin every T/W, so failures come every T/W from T on; the F-th of them opens the breaker. F calls have
 * failed then, and the other W - 1 workers are in one; the youngest of those began T/W before.
 * Call_timeout C < T: the same failures come from C on. All that began before the F-th of them wait.
 */
static struct outcome paper(enum way way, unsigned workers, double timeout)
{
    double each = timeout / workers;
    if (way == WAY_EACH)
        return (struct outcome){(THRESHOLD + 1) * timeout - each, THRESHOLD * workers};
    if (way == WAY_SHARED)
        return (struct outcome){2 * timeout + (THRESHOLD - 2) * each, THRESHOLD + workers - 1};
    unsigned waited = THRESHOLD - 1 + (unsigned)ceil((double)workers / SHARE);
    return (struct outcome){timeout + (waited - 1) * each, waited};
}

/* ---- measured ---- */

static void sleep_until(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void call_until_rejected(const struct outage *outage, cb_breaker *breaker)
{
    struct pollfd answer = {.fd = outage->hung[0], .events = POLLIN};
    cb_permit permit;
    while (cb_acquire(breaker, &permit) == CB_ADMITTED) {
        poll(&answer, 1, (int)outage->timeout_ms);
        cb_failure(&permit);
        atomic_fetch_add(&outage->stage->waited, 1);
    }
}

_Noreturn static void worker_run(const struct outage *outage, const struct task *task)
{
    struct stage *stage = outage->stage;
    cb_registry *handle;
    cb_breaker *breaker;
    cb_attach(task->registry, &handle); /* where there is no registry, breakers are this process's own */
    if (!handle)
        _exit(1);
    cb_get_or_create(handle, task->breaker, task->policy, &breaker);
    if (!breaker)
        _exit(1);
    atomic_fetch_add(&stage->ready, 1);
    while (atomic_load(&stage->begins_ns) == 0)
        sleep_until(now_ns() + 1000000);
    sleep_until(atomic_load(&stage->begins_ns) + task->offset_ns);
    call_until_rejected(outage, breaker);
    uint64_t now = now_ns(), last = atomic_load(&stage->last_ns);
    while (last < now && !atomic_compare_exchange_weak(&stage->last_ns, &last, now))
        ;
    cb_detach(&handle);
    _exit(0);
}

static struct task task_of(const struct outage *outage, enum way way, unsigned workers, unsigned number)
{
    struct task task = {.offset_ns = (uint64_t)outage->timeout_ms * 1000000 * number / workers};
    snprintf(task.registry, sizeof task.registry, "%s%s", outage->daemon.registry, way == WAY_EACH ? "-none" : "");
    snprintf(task.breaker, sizeof task.breaker, "way-%d/%u", (int)way, workers);
    snprintf(task.policy, sizeof task.policy, "failure_threshold=%d call_timeout=%ums", THRESHOLD,
             way == WAY_OVERDUE ? outage->timeout_ms / SHARE : 0);
    return task;
}

static bool workers_start(const struct outage *outage, enum way way, unsigned workers, pid_t *pids)
{
    for (unsigned i = 0; i < workers; i++) {
        struct task task = task_of(outage, way, workers, i);
        pids[i] = child_fork(SIGKILL);
        if (pids[i] < 0)
            return false;
        if (pids[i] == 0)
            worker_run(outage, &task);
    }
    while (atomic_load(&outage->stage->ready) < workers && !interrupted)
        sleep_until(now_ns() + 1000000);
    return true;
}

/* False: it could not be measured. */
static bool measure(const struct outage *outage, enum way way, unsigned workers, struct outcome *out)
{
    pid_t pids[MEASURED_TO] = {0};
    struct stage *stage = outage->stage;
    atomic_store(&stage->ready, 0);
    atomic_store(&stage->waited, 0);
    atomic_store(&stage->begins_ns, 0);
    atomic_store(&stage->last_ns, 0);
    bool good = workers_start(outage, way, workers, pids);
    uint64_t begins = now_ns() + 10000000; /* everybody is asleep until then */
    atomic_store(&stage->begins_ns, begins);
    for (unsigned i = 0; i < workers; i++)
        child_end(&pids[i], good && !interrupted ? 0 : SIGKILL);
    *out = (struct outcome){(double)(atomic_load(&stage->last_ns) - begins) / 1e9, atomic_load(&stage->waited)};
    return good && !interrupted;
}

/* ---- the table ---- */

static void head_print(unsigned timeout_ms)
{
    printf("Until every worker fails fast. Time-out T = %u ms, failure_threshold=%d, call_timeout = T/%d.\n",
           timeout_ms, THRESHOLD, SHARE);
    printf("Seconds, and calls that waited for the time-out. In brackets: on paper.\n\n");
    printf("%7s   %-26s   %-26s   %-26s\n", "workers", "a breaker each", "shared", "shared, call_timeout");
}

static void cell_print(const struct outcome *measured, struct outcome expected)
{
    char text[64];
    if (measured)
        snprintf(text, sizeof text, "%.2f s %4u  (%.2f s %4u)", measured->seconds, measured->waited, expected.seconds,
                 expected.waited);
    else
        snprintf(text, sizeof text, "%13s(%.2f s %4u)", "", expected.seconds, expected.waited);
    printf("   %-26s", text);
}

static bool table_print(const struct outage *outage)
{
    static const unsigned counts[] = {1, 2, 4, 8, MEASURED_TO, 32, 100, 320, PAPER_TO};
    head_print(outage->timeout_ms);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        printf("%7u", counts[i]);
        for (enum way way = 0; way < WAYS; way++) {
            struct outcome measured = {0};
            bool live = counts[i] <= MEASURED_TO;
            if (live && !measure(outage, way, counts[i], &measured))
                return false;
            cell_print(live ? &measured : NULL, paper(way, counts[i], outage->timeout_ms / 1e3));
            fflush(stdout);
        }
        printf("\n");
    }
    return true;
}

static int outage_start(struct outage *outage)
{
    outage->stage = place_shared(sizeof *outage->stage);
    if (!outage->stage || pipe(outage->hung) < 0)
        return -1;
    return daemon_start(&outage->daemon, "open", 64);
}

int main(int argc, char **argv)
{
    struct outage outage = {.timeout_ms = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 400};
    if (argc > 2 || outage.timeout_ms < 100 || outage.timeout_ms > 60000) {
        fprintf(stderr, "usage: opentime [TIMEOUT_MS]    100 to 60000\n");
        return 2;
    }
    interrupt_catch();
    bool good = outage_start(&outage) == 0 && table_print(&outage);
    daemon_stop(&outage.daemon);
    return good ? 0 : 2;
}
