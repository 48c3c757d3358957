/* A worker's life: calls through the library, as many as it can, each written down. */
#ifndef CHAOS_HAND_H
#define CHAOS_HAND_H

#include <cbclient.h>

#include "dice.h"
#include "ledger.h"

#define LONGEST_MS   200  /* a library call that takes longer and slept has waited for somebody; as has a ... */
#define BURST_CPU_MS 200  /* ... burst of calls that computes for longer */
#define JOIN_MS      3000 /* a call that joins a breaker which was removed asks the daemon, which may be away */

struct hand {
    struct ledger *ledger;
    struct account *account;
    struct dice dice;
    cb_registry *registry;
    cb_breaker *breaker[CAST_SIZE]; /* NULL: could not be had */
    cb_permit permit[HELD_MAX];
};

/* Attach to `registry` and find every breaker. False: what was wrong is complained of. */
bool hand_attach(struct hand *, const char *registry);

/* Call, and rest in each pause, until killed. */
_Noreturn void hand_live(struct hand *);

/* One call of `part`, settled at once; the breaker's answer. */
int hand_call(struct hand *, unsigned part);

#endif
