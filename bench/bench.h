/* What the measurements share: a registry of their own, two processors, a clock. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <cbclient.h>
#include <stdint.h>
#include <time.h>

#include "daemon.h"
#include "interrupt.h"

#define CAPACITY 65536

/* Breakers that are called, one a policy. */
enum {
    BREAKER_PLAIN,
    BREAKER_WINDOW_TIME,
    BREAKER_WINDOW_COUNT,
    BREAKER_TIMED,
    BREAKER_OPEN,
    BREAKER_FAILING,
    BREAKER_TRIPPED,
    BREAKERS
};

struct bench {
    struct daemon daemon;
    cb_registry *registry;
    cb_breaker *breakers[BREAKERS];
    uint32_t filled; /* further breakers, "filled/0" and so on */
};

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Keep the compiler from knowing what is in *p. */
static inline void opaque(void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* ---- place.c: where processes run ---- */

/* How many processors there are to use. */
unsigned place_count(void);
/* Run on the n-th of them only; place_anywhere(): on all again. */
void place_at(unsigned n);
void place_anywhere(void);
/* The same for another process. */
void place_other_at(pid_t process, unsigned n);
void place_other_anywhere(pid_t process);
/* Memory that this process's children will share; zero. NULL: none to be had. */
void *place_shared(size_t size);

/* ---- fill.c: breakers to fill the registry with ---- */

#define FILL_NAME_SIZE 24
void fill_name(uint32_t n, char name[FILL_NAME_SIZE]);
/* Create breakers until there are `count` of this kind. 0 or the error. */
int fill_to(struct bench *, uint32_t count);

/* ---- crowd.c: a thousand workers ---- */

/* End what its measurements started. */
void crowd_end(void);

/* ---- the measurements: one run each, see struct row ---- */

double measure_fetch_add(struct bench *, unsigned);
double measure_clock(struct bench *, unsigned);
double measure_mutex_pair(struct bench *, unsigned);
double measure_pair(struct bench *, unsigned breaker);
double measure_pair_two(struct bench *, unsigned breaker);
double measure_rejection(struct bench *, unsigned breaker);
double measure_failure(struct bench *, unsigned breaker);
double measure_trip(struct bench *, unsigned breaker);
double measure_round_trip(struct bench *, unsigned);
double measure_create(struct bench *, unsigned);
double measure_list(struct bench *, unsigned breakers);
double measure_get(struct bench *, unsigned breakers);
double measure_idle_cpu(struct bench *, unsigned);    /* percent of a processor */
double measure_idle_memory(struct bench *, unsigned); /* the daemon's own */
double measure_deaths_kernel(struct bench *, unsigned);
double measure_deaths(struct bench *, unsigned);
double measure_memory(struct bench *, unsigned cpus);     /* a breaker */
double measure_memory_all(struct bench *, unsigned cpus); /* a registry of 1,024 */

#endif
