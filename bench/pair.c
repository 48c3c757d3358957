/* The call path: ask, settle. */
#include <stdatomic.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"

#define TURNS 1000000u

static double pairs(cb_breaker *breaker, unsigned turns)
{
    cb_permit permit;
    uint64_t began = now_ns();
    for (unsigned i = 0; i < turns; i++) {
        cb_acquire(breaker, &permit);
        cb_success(&permit);
    }
    return (double)(now_ns() - began) / turns;
}

double measure_pair(struct bench *bench, unsigned breaker)
{
    return pairs(bench->breakers[breaker], TURNS);
}

double measure_failure(struct bench *bench, unsigned breaker)
{
    cb_permit permit;
    uint64_t began = now_ns();
    for (unsigned i = 0; i < TURNS / 2; i++) {
        cb_acquire(bench->breakers[breaker], &permit);
        cb_failure(&permit);
    }
    double took = (double)(now_ns() - began) / ((double)TURNS / 2);
    pairs(bench->breakers[breaker], 1); /* ends the streak, far below the threshold */
    return took;
}

double measure_rejection(struct bench *bench, unsigned breaker)
{
    cb_permit permit;
    unsigned rejected = 0;
    uint64_t began = now_ns();
    for (unsigned i = 0; i < TURNS; i++)
        rejected += cb_acquire(bench->breakers[breaker], &permit) == CB_REJECTED_OPEN;
    double took = (double)(now_ns() - began) / TURNS;
    return rejected == TURNS ? took : -1;
}

/* Where two processes meet before they begin, and leave what they measured. */
struct meeting {
    atomic_uint there;
    double took[2];
};

/* Longer than a plain run, so that the time that only one of them works does not count for much. */
static void pairs_together(struct meeting *meeting, unsigned which, cb_breaker *breaker)
{
    place_at(which);
    pairs(breaker, TURNS / 10);
    atomic_fetch_add(&meeting->there, 1);
    while (atomic_load(&meeting->there) < 2 && !interrupted)
        ;
    meeting->took[which] = pairs(breaker, TURNS * 3);
}

double measure_pair_two(struct bench *bench, unsigned breaker)
{
    static struct meeting *meeting;
    if (place_count() < 2 || (!meeting && !(meeting = place_shared(sizeof *meeting))))
        return -1;
    *meeting = (struct meeting){0};
    pid_t other = child_fork(SIGKILL);
    if (other < 0)
        return -1;
    if (other == 0) {
        pairs_together(meeting, 1, bench->breakers[breaker]);
        _exit(0);
    }
    pairs_together(meeting, 0, bench->breakers[breaker]);
    child_end(&other, 0);
    return (meeting->took[0] + meeting->took[1]) / 2;
}
