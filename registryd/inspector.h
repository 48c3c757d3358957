/* The inspector: looks through `live` a little at a time for what cannot be (core/check.h), puts it right, and says so. */
#ifndef REGISTRYD_INSPECTOR_H
#define REGISTRYD_INSPECTOR_H

#include <stdbool.h>

#include "registryd/registry.h"

struct inspector {
    struct registry *registry;
    uint64_t *open_until; /* by slot: see check_slot() */
    uint32_t *owners;     /* by chunk: see struct lane_memory */
    uint64_t *living;     /* by worker number: the reaper says so */
    uint32_t next_slot, next_counts, next_chunk;
    int guards; /* to ask about workers' guards (core/guard.h); negative: cannot be */
    unsigned turns;
    unsigned alert;       /* damage was found: so many turns are left in which it looks at more */
    unsigned wiped;       /* the header was damaged: so many turns are left in which nothing that is 0 was given back */
    unsigned lines;       /* written in the current period */
    uint64_t lines_since; /* when that began */
    uint32_t lane_repairs; /* words of the lanes, not told yet */
};

bool inspector_start(struct inspector *, struct registry *); /* false: no memory for it */
void inspector_stop(struct inspector *);

/* The process with this worker number lives (its record), or has ended (0). */
void inspector_know(struct inspector *, uint32_t worker, uint64_t process);

/* Is a worker's record another one than that of the process that is known to live? Asked of all in every turn, so it
 * looks at nothing else. */
static inline bool inspector_changed(const struct inspector *inspector, uint32_t worker)
{
    const au64 *record = &inspector->registry->segment.workers[worker].process;
    return atomic_load_explicit(record, memory_order_relaxed) != inspector->living[worker];
}

/* Once a turn: what `live` says of itself, before anything else in it is believed. */
void inspector_begin(struct inspector *);
/* What a worker's record, which has become `record`, must be: that, or, if it was damaged, the one of the process that is
 * known to live (0: nobody), which is then put there. */
uint64_t inspector_record(struct inspector *, uint32_t worker, uint64_t record);
/* Does the program that wrote this record still run? False: its guard is gone, though its process may go on. */
bool inspector_guarded(const struct inspector *, uint32_t worker, uint64_t record);

/* The next slots and chunks, behind the records. */
void inspector_turn(struct inspector *);

#endif
