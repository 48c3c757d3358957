/* The call path, and what the daemon does to calls: one implementation for workers, reaper, operators and simulations. */
#ifndef CORE_CALL_H
#define CORE_CALL_H

#include "core/gate.h"
#include "core/lane.h"
#include "core/segment.h"

/* Who did it, for the journal. */
struct actor {
    uint32_t pid, uid;
};

/* An admitted call, kept in the caller's permit. All zero: none. */
struct held {
    uint64_t call;        /* the word in the lane (also when it found no room there) */
    uint64_t started;     /* see clock_started(); 0: not timed */
    uint32_t entry;       /* lane entry + 1; 0: not in a lane */
    uint32_t place;       /* bulkhead place + 1; 0: none */
    uint64_t owner;       /* the lane's serial */
    struct call *in_lane; /* where `entry` is; NULL without one */
};

/* Ask for a permit on `slot`. `commit` is the block's commit word, read by the caller to see that the slot is still
 * its breaker. Admitted: *held is filled. */
enum breaker_answer call_acquire(const struct segment *, struct lane *, uint32_t slot, uint64_t commit,
                                 struct held *held);

#define TOOK_MEASURED UINT64_MAX /* measure from `started`, if it was timed */
enum { CALL_SETTLED = 0, CALL_NOT_MINE = -10015, CALL_WAS_OVERDUE = -10016 };
int call_settle(const struct segment *, struct lane *, struct held *held, enum outcome, uint64_t took_ns);

/* Settle the call in a lane entry from outside: its holder died (OUTCOME_ABANDONED) or it is overdue. `word` is what was
 * read there; `holder`: whose call it was. False if somebody else settled it first. */
bool call_reap(const struct segment *, uint32_t entry, uint64_t word, enum outcome, struct actor holder);

/* Settle all calls older than their call_timeout. Returns how many. */
uint32_t call_tick(const struct segment *);
/* Every breaker's gate: probe leases that ran out, overrides whose end has come. Callers see these by themselves; this
 * is for breakers that nobody calls. */
void call_lapse(const struct segment *);

/* A worker that the kernel says is dead: settle its calls, free its chunks, then its number. Returns the calls. */
uint32_t worker_reap(const struct segment *, uint32_t worker);
/* All those at once for which `dead` (worker_count long) is not 0: one look at the chunks instead of one for each. Their
 * calls are added to `settled`, as long. */
void workers_reap(const struct segment *, const uint64_t *dead, uint32_t *settled);

/* An operator's event on a slot's gate: GATE_OPERATOR_TRIP, GATE_RESET, GATE_AUTO, GATE_OVERRIDE. Journalled. */
void call_operate(const struct segment *, uint32_t slot, struct gate_input, struct actor);

/* Looking; nothing changes. */
enum breaker_answer call_query(const struct segment *, uint32_t slot);
uint64_t call_retry_after_ms(const struct segment *, uint32_t slot);
enum breaker_state call_state(const struct segment *, uint32_t slot);

/* Sums over the stripes, and the gate. */
struct tally {
    enum breaker_state state;
    uint64_t successes, failures, slow, ignored, rejected_open, rejected_probes, rejected_concurrency, abandoned,
        overdue, transitions, streak, retry_after_ms;
    uint64_t window_calls, window_failures, window_slow;
    uint64_t latency[LATENCY_BUCKETS];
};
void tally_slot(const struct segment *, uint32_t slot, struct tally *out);
/* Somebody is told of its successes who must not see them run backwards (a later sum may be less: stripe_successes()):
 * from now on no tally has fewer, of whatever daemon. By the daemon alone. */
void tally_tell(struct segment *, uint32_t slot, const struct tally *);
/* How long so many percent of the timed calls took at most: the upper bound of their bucket in microseconds; 0 without
 * any. */
uint64_t tally_latency_us(const struct tally *, unsigned percent);
/* Calls in flight by slot (`by_slot`, capacity long, may be NULL) and by worker (worker_count long, may be NULL). */
void tally_in_flight(const struct segment *, uint32_t *by_slot, uint32_t *by_worker);
uint64_t tally_in_flight_of(const struct segment *, uint32_t slot);
#endif
