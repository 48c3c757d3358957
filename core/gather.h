/*
 * Gathering: from the journal's raw notes to events. Each slot's transitions come out once, in the order of their
 * epochs. What a killed worker could not note shows as an epoch that nobody explains: after some patience it comes out
 * as a filled event. What is noted later all the same, or twice, comes out no more.
 *
 * Who writes the events down gathers so, and so does who reads on beyond them (a history or watch while the daemon is
 * away): both find the same. Process-private; reads the memory only.
 */
#ifndef CORE_GATHER_H
#define CORE_GATHER_H

#include "core/events.h"

#define GATHER_PATIENCE_MS 1000 /* for a note whose transition shows already */
#define GATHER_FILL_MAX    16   /* more than that in a row become one event with their number */

struct gather {
    const struct segment *segment;
    bool own;             /* private memory: what is noted there is true, and nobody fills in */
    uint64_t patience_ms; /* 0: what is not there now is lost */
    uint64_t hold_ms;     /* notes come out only when they are so old: somebody else is to write them down before */
    uint64_t *noted;      /* by slot, as control.noted */
    uint32_t *suspect;    /* by slot: an epoch that the last audit found unexplained, above SUSPECT; 0: none */
    uint64_t *since;      /* by place in the journal: when it was first looked at; 0: not yet; or GATHER_DONE */
    uint64_t tail, head;  /* the notes to look at */
    uint64_t at;          /* where this pass is */
    uint64_t audit_ms;    /* when gates are compared next with what is noted */
    uint32_t audit_at;    /* where that is; capacity: nowhere */
    bool moved, filling;
};

/* Everything that is in the events is known. `own`: see above. False: no memory. */
bool gather_init(struct gather *, const struct segment *, bool own, uint64_t patience_ms);
void gather_finish(struct gather *);

/* The next event, without a number; false: none now. */
bool gather_next(struct gather *, uint64_t now_ms, struct event *out);

/* A filled event for the next epoch of a slot that is missing below `epoch`; false: there is none. */
bool gather_reach(struct gather *, uint32_t slot, uint16_t epoch, uint64_t now_ms, struct event *out);

/* The slot's gate is in an earlier epoch than what is known, where no transition leads: a filled event that begins anew
 * from there. False: it is not, or there is no such breaker. */
bool gather_rewind(struct gather *, uint32_t slot, uint64_t now_ms, struct event *out);

/* This event is known now: of a transition, nothing up to it comes out any more. */
void gather_note(struct gather *, const struct event *);
/* Was this transition known before? False for all other events. */
bool gather_knows(const struct gather *, const struct event *);

/* CLOCK_REALTIME, in milliseconds, at the moment `time_ms` of the segment's clock. */
uint64_t gather_wall_ms(const struct segment *, uint64_t time_ms);

#endif
