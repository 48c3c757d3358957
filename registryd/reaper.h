/* The reaper: notices workers that die and calls that hang, and settles what they held. A process is dead when the
 * kernel says so; a stopped one is not. */
#ifndef REGISTRYD_REAPER_H
#define REGISTRYD_REAPER_H

#include <stdbool.h>
#include <uv.h>

#include "registryd/inspector.h"
#include "registryd/registry.h"
#include "registryd/tickrate.h"

struct watch;

struct reaper {
    struct registry *registry;
    struct inspector inspector;
    struct tickrate tickrate;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct watch **watches; /* by worker number; NULL: nobody has it */
    uint32_t count;         /* of those that are not NULL */
    uint32_t guarded;       /* of those whose processes have a guard */
    uint32_t next_guard;    /* the worker number to ask about next */
    uv_prepare_t funeral;   /* before the loop waits again: all that have died are settled together */
    uint64_t *dead;         /* by worker number: the record of a process that has died; 0: none */
    uint32_t *settled;      /* by worker number, for the funeral */
    uint32_t dead_count;    /* of those that are not 0 */
    unsigned turns;
    uint64_t turned_ms; /* when its last turn was */
    uint64_t late_ms;   /* how much later than due that was */
    bool warned;        /* no descriptor was to be had; said once */
};

bool reaper_start(struct reaper *, uv_loop_t *, struct registry *);
void reaper_stop(struct reaper *); /* the loop must run on until all handles are closed */

/* Watch the process that has this worker number (below worker_count) from now on. False: nobody has it, or not any
 * more. */
bool reaper_watch(struct reaper *, uint32_t worker);

/* How long ago its last turn was; some 20 ms when all is well. */
uint64_t reaper_silent_ms(const struct reaper *);

/* Processes' worker numbers that are watched. */
uint32_t reaper_count(const struct reaper *);

#endif
