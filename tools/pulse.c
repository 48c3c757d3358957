#include "pulse.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cbclient.h>

#define PULSE_MS 1000

struct pulse {
    char registry[64];
    pthread_mutex_t mutex;
    pthread_cond_t stopped;
    struct pulse_beat beat;
    bool stop;
};

static int worker_count(const struct cb_worker *worker, void *count)
{
    *(unsigned *)count += worker->pid != (uint32_t)getpid();
    return 0;
}

static struct pulse_beat beat_take(cb_registry *registry)
{
    struct pulse_beat beat = {.known = true};
    const char *version;
    beat.up = registry && cb_ping(registry, NULL, &version) == 0;
    if (beat.up)
        snprintf(beat.version, sizeof beat.version, "%s", version);
    if (registry)
        cb_list_workers(registry, worker_count, &beat.workers);
    return beat;
}

/* Until the next beat; false: the pulse is stopped. Holding the mutex. */
static bool pulse_wait(struct pulse *pulse)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PULSE_MS / 1000;
    while (!pulse->stop)
        if (pthread_cond_clockwait(&pulse->stopped, &pulse->mutex, CLOCK_MONOTONIC, &until))
            return !pulse->stop;
    return false;
}

static void pulse_free(struct pulse *pulse)
{
    pthread_cond_destroy(&pulse->stopped);
    pthread_mutex_destroy(&pulse->mutex);
    free(pulse);
}

static void *pulse_run(void *arg)
{
    struct pulse *pulse = arg;
    cb_registry *registry;
    cb_attach(pulse->registry, &registry);
    pthread_mutex_lock(&pulse->mutex);
    do {
        pthread_mutex_unlock(&pulse->mutex);
        struct pulse_beat beat = beat_take(registry);
        pthread_mutex_lock(&pulse->mutex);
        pulse->beat = beat;
    } while (pulse_wait(pulse));
    pthread_mutex_unlock(&pulse->mutex);
    cb_detach(&registry);
    pulse_free(pulse);
    return NULL;
}

struct pulse *pulse_start(const char *registry)
{
    struct pulse *pulse = calloc(1, sizeof *pulse);
    if (!pulse)
        return NULL;
    snprintf(pulse->registry, sizeof pulse->registry, "%s", registry);
    pthread_mutex_init(&pulse->mutex, NULL);
    pthread_cond_init(&pulse->stopped, NULL);
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all); /* signals are for the thread that has the terminal */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, pulse_run, pulse);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        pulse_free(pulse);
        return NULL;
    }
    pthread_detach(thread);
    return pulse;
}

struct pulse_beat pulse_read(struct pulse *pulse)
{
    if (!pulse)
        return (struct pulse_beat){0};
    pthread_mutex_lock(&pulse->mutex);
    struct pulse_beat beat = pulse->beat;
    pthread_mutex_unlock(&pulse->mutex);
    return beat;
}

void pulse_stop(struct pulse *pulse)
{
    if (!pulse)
        return;
    pthread_mutex_lock(&pulse->mutex);
    pulse->stop = true;
    pthread_cond_signal(&pulse->stopped);
    pthread_mutex_unlock(&pulse->mutex);
}
