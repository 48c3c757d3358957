#include "registryd/tickrate.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

#define READINGS   5 /* of both clocks; the one that was interrupted least counts */
#define EXACT_PART 1000

void tickrate_start(struct tickrate *rate, const char *source)
{
    *rate = (struct tickrate){.source = open(source, O_RDONLY | O_CLOEXEC)};
}

void tickrate_stop(struct tickrate *rate)
{
    if (rate->source >= 0)
        close(rate->source);
    rate->source = -1;
}

/* The kernel changes over to another source when it finds this one unreliable, at any time. */
static bool is_trusted(const struct tickrate *rate)
{
    char name[16] = "";
    return rate->source >= 0 && pread(rate->source, name, sizeof name - 1, 0) > 0 &&
           strcmp(name, TICKS_SOURCE "\n") == 0;
}

static bool alike(uint64_t a, uint64_t b)
{
    return (a > b ? a - b : b - a) <= b / EXACT_PART;
}

/* A single measurement may be off: the machine slept, or went on on another one. */
uint64_t tickrate_next(uint64_t published, uint64_t before, uint64_t now, bool trusted)
{
    if (!trusted)
        return published & ~TICK_USED;
    if (now == 0 || !alike(before, now))
        return published;
    return alike(published, now) ? published | TICK_USED : now | TICK_USED;
}

/* Both clocks at one moment; returns how many ticks went by meanwhile. */
static uint64_t read_both(uint64_t *ticks, uint64_t *ns)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < READINGS; i++) {
        uint64_t began = ticks_now(), at = clock_read_ns(CLOCK_MONOTONIC), took = ticks_now() - began;
        if (took >= least)
            continue;
        least = took;
        *ticks = began + took / 2;
        *ns = at;
    }
    return least;
}

/* 0: not well enough. */
static uint64_t measure(struct tickrate *rate)
{
    uint64_t ticks = 0, ns = 0, error = read_both(&ticks, &ns);
    uint64_t ticks_gone = ticks - rate->ticks, ns_gone = ns - rate->ns;
    bool good = rate->ns != 0 && ticks > rate->ticks && error <= ticks_gone / EXACT_PART;
    rate->ticks = ticks;
    rate->ns = ns;
    return good ? (uint64_t)((double)ns_gone * 4294967296.0 / (double)ticks_gone) : 0;
}

void tickrate_turn(struct tickrate *rate, au64 *tick)
{
    bool trusted = is_trusted(rate);
    uint64_t before = rate->measured, published = atomic_load_explicit(tick, memory_order_relaxed);
    if (trusted)
        rate->measured = measure(rate);
    else
        rate->measured = rate->ns = 0;
    uint64_t next = tickrate_next(published, before, rate->measured, trusted);
    if (next != published)
        atomic_store_explicit(tick, next, memory_order_relaxed);
}
