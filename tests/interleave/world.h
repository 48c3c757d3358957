/*
 * A small world: callers of one breaker, the daemon that reaps them, an operator, and time. Each of them is a strand
 * and goes on by moves (moves.h). The world after some moves is the same whenever it is made from the beginning with
 * them.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "core/call.h"
#include "tests/interleave/strand.h"

#define CALLERS_MAX 3
#define WORLD_SLOT  0u

/* Who is there, and what may happen how often. */
struct scenario {
    const char *policy;
    bool due;              /* it begins at the end of an open_timeout; else closed */
    bool count;            /* counting transitions takes steps of its own: many more states */
    unsigned callers;      /* each makes one call */
    unsigned outcomes;     /* a bit for each that a caller may settle with */
    unsigned kills;        /* of callers */
    unsigned daemon_kills; /* each time a successor comes */
    unsigned ticks;        /* looks for overdue calls */
    unsigned lapses;       /* looks for what is due by itself */
    unsigned trips, resets;
    unsigned waits; /* of half_open_timeout */
};

enum phase { ASKING, IN_CALL, SETTLING, DONE, DEAD, REAPED, BURIED };

struct caller {
    enum phase phase, died; /* died: in which phase, if it is dead */
    enum outcome outcome;
    uint32_t age;   /* the world's, when it last saw the gate while it asked */
    uint32_t entry; /* where its call stands in the lanes */
    struct held held;
};

/* What is to be known of it besides the memory. */
struct world {
    uint64_t now_ms;
    uint64_t age; /* how often the breaker's epoch or state has changed */
    struct caller callers[CALLERS_MAX];
    struct scenario left; /* what may still happen */
    int32_t least, most;  /* outcomes that must, that may be counted */
};
extern struct world world;
extern struct segment world_memory;
extern struct policy world_policy;
extern struct lane *world_lanes[CALLERS_MAX];

enum { DAEMON = CALLERS_MAX, OPERATOR, STRANDS }; /* their numbers, after the callers' */
extern struct strand world_strands[STRANDS];

void world_create(const struct scenario *);
void world_destroy(void);
void world_begin(void); /* as it was created */
/* A hash of everything that decides what can come. */
uint64_t world_hash(void);
/* Have all callers come to their end, and is nobody else in the middle of something? */
bool world_over(void);
/* Whom the daemon is about to reap; NULL: nobody. */
struct caller *world_reaped(void);
/* May the daemon look, or be looking, at all calls, one after the other? */
bool world_ticks(void);

static inline uint64_t world_gate(void)
{
    return segment_slot(&world_memory, WORLD_SLOT)->gate;
}

#endif
