/* The test itself as another process than the one that it steps through: it calls the scene's first breaker, and sees
 * whether that trips, opens, probes and closes. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include "core/call.h"

#define PEER_SLOT 0u    /* the breaker */
#define LEASE_MS  2000u /* its half_open_timeout: nothing takes longer */

struct peer {
    struct lane *lane;
    uint64_t settled;    /* its calls so far */
    uint64_t slowest_ns; /* of CPU, of anything it called */
    struct held kept[2]; /* calls in flight that it settles when it goes round */
    unsigned kept_count;
};
extern struct peer peer;

/* Any lane's call on any breaker of the scene. */
enum breaker_answer lane_asks(struct lane *, uint32_t slot, struct held *);

uint64_t peer_gate(void); /* the breaker's word */
enum breaker_answer peer_asks(struct held *);
void peer_settles(struct held, enum outcome);
/* Ask, and settle if admitted. */
enum breaker_answer peer_calls(enum outcome);
/* Call until it is closed, waiting as long as the breaker says; that must come. */
void peer_recovers(void);
/* Fail until it opens; that must come, with every call admitted before and rejected after. */
void peer_trips(void);
/* Everything that a breaker does: closed, tripped, open, closed again; without ever sleeping or spinning. */
void peer_goes_round(void);

#endif
