/* How soon another process sees a trip. */
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "row.h"

#define TRIPS 100

struct watch {
    atomic_uint round; /* the trip that the watcher is to wait for */
    atomic_uint armed; /* the trip that it watches for */
    _Atomic uint64_t seen_ns[TRIPS + 1];
};

_Noreturn static void watch_run(struct watch *watch, cb_breaker *breaker)
{
    place_at(1);
    for (unsigned round = 1; round <= TRIPS; round++) {
        while (atomic_load(&watch->round) < round)
            sched_yield();
        while (cb_state_of(breaker) != CB_CLOSED)
            ;
        atomic_store(&watch->armed, round);
        while (cb_would_admit(breaker) == CB_ADMITTED)
            ;
        atomic_store(&watch->seen_ns[round], now_ns());
    }
    _exit(0);
}

/* Nanoseconds from the return of the call that tripped to the moment the watcher knew; often before that. */
static double trip_once(struct watch *watch, cb_breaker *breaker, unsigned round)
{
    cb_permit permit;
    uint64_t seen;
    cb_reset(breaker, NULL);
    atomic_store(&watch->round, round);
    while (atomic_load(&watch->armed) < round)
        ;
    cb_acquire(breaker, &permit);
    cb_failure(&permit);
    uint64_t returned = now_ns();
    while ((seen = atomic_load(&watch->seen_ns[round])) == 0)
        ;
    return seen > returned ? (double)(seen - returned) : 0;
}

double measure_trip(struct bench *bench, unsigned breaker)
{
    double took[TRIPS];
    static struct watch *watch;
    if (place_count() < 2 || (!watch && !(watch = place_shared(sizeof *watch))))
        return -1;
    *watch = (struct watch){0};
    pid_t watcher = child_fork(SIGKILL);
    if (watcher < 0)
        return -1;
    if (watcher == 0)
        watch_run(watch, bench->breakers[breaker]);
    for (unsigned round = 1; round <= TRIPS; round++)
        took[round - 1] = trip_once(watch, bench->breakers[breaker], round);
    child_end(&watcher, 0);
    return median_of(took, TRIPS);
}
