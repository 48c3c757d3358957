/* The workers: started, stopped, continued, killed; and what the dead leave to be accounted for. */
#ifndef CHAOS_CREW_H
#define CHAOS_CREW_H

#include <sys/types.h>

#include "hand.h"

/* What the killed of one round leave open, by part. */
struct estate {
    unsigned held;                    /* calls that died with their holder: each is counted as abandoned or overdue */
    unsigned acquiring;               /* deaths within cb_acquire() */
    unsigned settling[ENTRY_SETTLED]; /* deaths while settling a call so */
};

struct member {
    pid_t pid;
    uint64_t continue_ms; /* stopped until then; 0: it runs */
};

struct crew {
    const char *registry;
    struct ledger *ledger;
    const struct hand *master; /* attached; what its children inherit */
    struct member member[WORKERS];
    unsigned struck;                   /* killed within a library call */
    uint64_t lives;                    /* started so far */
    uint64_t past[CAST_SIZE][ENTRIES]; /* accounts of the dead */
    struct estate estate[CAST_SIZE];   /* since crew_settle() */
    uint64_t seed;
    char complaint[192]; /* of one who is dead; "" if none had any */
};

void crew_start(struct crew *, unsigned number);
/* Kill and wait for its end, then start another in its place. */
void crew_kill(struct crew *, unsigned number);
void crew_stop(struct crew *, unsigned number, uint64_t until_ms);
void crew_continue(struct crew *, unsigned number);
/* Has one ended by itself? Its number and wait status; -1: none. */
int crew_lost(struct crew *, int *status);
/* Kill all and start none. */
void crew_end(struct crew *);

/* Is `pid` one of them? */
bool crew_has(const struct crew *, pid_t pid);
/* What all accounts say, the dead included. */
uint64_t crew_sum(const struct crew *, unsigned part, enum entry);

#endif
