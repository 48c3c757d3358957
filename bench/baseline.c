/* What the machine itself takes: the yardsticks of the table. */
#include <pthread.h>
#include <stdatomic.h>

#include "bench.h"

#define TURNS 1000000u

double measure_fetch_add(struct bench *bench, unsigned argument)
{
    static _Alignas(64) _Atomic uint64_t counter;
    (void)bench;
    (void)argument;
    uint64_t began = now_ns();
    for (unsigned i = 0; i < TURNS; i++)
        atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
    return (double)(now_ns() - began) / TURNS;
}

double measure_clock(struct bench *bench, unsigned argument)
{
    struct timespec now;
    (void)bench;
    (void)argument;
    uint64_t began = now_ns();
    for (unsigned i = 0; i < TURNS; i++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        opaque(&now);
    }
    return (double)(now_ns() - began) / TURNS;
}

/* A breaker as one would write it with a lock: the work of a call's two halves, each under the mutex. */
struct locked {
    pthread_mutex_t mutex;
    uint64_t state, in_flight, successes, streak;
};

static struct locked *locked_create(void)
{
    pthread_mutexattr_t attributes;
    struct locked *locked = place_shared(sizeof *locked);
    if (!locked)
        return NULL;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&locked->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return locked;
}

static void locked_acquire(struct locked *locked)
{
    pthread_mutex_lock(&locked->mutex);
    if (locked->state == 0)
        locked->in_flight++;
    pthread_mutex_unlock(&locked->mutex);
}

static void locked_success(struct locked *locked)
{
    pthread_mutex_lock(&locked->mutex);
    locked->in_flight--;
    locked->successes++;
    locked->streak = 0;
    pthread_mutex_unlock(&locked->mutex);
}

double measure_mutex_pair(struct bench *bench, unsigned argument)
{
    static struct locked *locked;
    (void)bench;
    (void)argument;
    if (!locked && !(locked = locked_create()))
        return -1;
    uint64_t began = now_ns();
    for (unsigned i = 0; i < TURNS; i++) {
        locked_acquire(locked);
        locked_success(locked);
    }
    return (double)(now_ns() - began) / TURNS;
}
