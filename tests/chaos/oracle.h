/*
 * What must be true of the memory, whoever died. Between rounds, when all workers rest or are dead, the oracle compares the
 * memory with what everybody wrote down; and with all workers stopped wherever they are, it asks each breaker itself.
 */
#ifndef CHAOS_ORACLE_H
#define CHAOS_ORACLE_H

#include "core/call.h"
#include "crew.h"
#include "desk.h"

struct oracle {
    struct report *report;
    struct crew *crew;
    struct desk *desk;
    struct hand *self; /* attached, with an account of its own */
    struct segment segment;
    /* By how much the memory was ahead of the accounts at the end of the last round: calls of killed workers. */
    int64_t drift[CAST_SIZE][ENTRIES], drift_lost[CAST_SIZE];
    uint64_t transitions[CAST_SIZE];
    unsigned daemon_kills; /* until the last round */
};

/* False: said on stderr why not. */
bool oracle_open(struct oracle *);
void oracle_close(struct oracle *);

/* While all workers are stopped: each breaker that nobody has forced open admits a call soon. */
void oracle_ask(struct oracle *);

/* Nobody calls, nothing remains, the daemon answers: counts, names, policies, overrides, gates. */
void oracle_check(struct oracle *);

#endif
