/*
 * The gate: a breaker is one 64-bit word, and this is the whole state machine, a pure function over values.
 *
 *   bits 63..61  state
 *   bits 60..45  epoch: counts transitions, modulo 65,536
 *   bits 44..40  attempt: how often it has re-opened since it was last closed (saturates at 31)
 *   bits 39..0   open:      deadline, milliseconds
 *                half-open: 39..34 probes in flight, 33..28 successes, 27..22 failures, 21..0 start of the newest
 *                           lease, milliseconds modulo 2^22 (70 minutes)
 *                override:  when it ends, milliseconds; 0: when somebody ends it
 *                closed:    0
 *
 * Time is milliseconds of CLOCK_MONOTONIC (40 bits: 34 years of uptime). Nothing here reads a clock or memory: the
 * call path, the daemon, simulations, tests and the model all call these two functions.
 */
#ifndef CORE_GATE_H
#define CORE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/policy.h"
#include "core/words.h"

enum gate_event {
    GATE_ACQUIRE, /* somebody asks for a permit */
    GATE_SUCCESS, /* an outcome; `epoch` is its permit's */
    GATE_FAILURE,
    GATE_IGNORED,
    GATE_TRIP,       /* an outcome reached a threshold in a closed breaker; `epoch` is its permit's */
    GATE_PROBE_LOST, /* a probe's holder died at a moment that leaves open whether it held one: re-open */
    GATE_LAPSE,      /* time passes: only what is due by itself */
    GATE_OPERATOR_TRIP,
    GATE_RESET,
    GATE_AUTO,     /* end an override */
    GATE_OVERRIDE, /* impose `to` until `until_ms` (0: no end) */
};

struct gate_input {
    enum gate_event event;
    uint16_t epoch;        /* outcomes and GATE_TRIP: the permit's */
    enum breaker_state to; /* GATE_OVERRIDE */
    uint64_t until_ms;     /* GATE_OVERRIDE */
    enum cause cause;      /* GATE_TRIP: what was reached; GATE_FAILURE: why a probe failed */
};

struct gate_step {
    uint64_t next;              /* the word to swap in; equal to the old one: nothing changes */
    enum breaker_answer answer; /* GATE_ACQUIRE: admitted or why not; else ANSWER_ADMITTED */
    bool probe;                 /* GATE_ACQUIRE: admitted as a probe */
    enum cause cause;           /* why the epoch changed; CAUSE_NONE if it did not */
};

struct gate_step gate_step(uint64_t word, struct gate_input input, const struct policy *policy, uint64_t now_ms);

/* The state that the next caller will find. */
enum breaker_state gate_state_at(uint64_t word, const struct policy *policy, uint64_t now_ms);
/* Milliseconds until a call may be admitted; 0: now; UINT64_MAX: not by itself. */
uint64_t gate_retry_after_ms(uint64_t word, const struct policy *policy, uint64_t now_ms);

/* A closed breaker's word. */
static inline uint64_t gate_closed(uint16_t epoch)
{
    return (uint64_t)STATE_CLOSED << 61 | (uint64_t)epoch << 45;
}

/* An open or overridden breaker's word: until when, in its milliseconds; 0 for an override without an end. */
static inline uint64_t gate_until(enum breaker_state state, uint16_t epoch, unsigned attempt, uint64_t until_ms)
{
    uint64_t payload = until_ms & ((UINT64_C(1) << 40) - 1);
    return (uint64_t)state << 61 | (uint64_t)epoch << 45 | (uint64_t)attempt << 40 | payload;
}

static inline enum breaker_state gate_state(uint64_t word)
{
    return (enum breaker_state)(word >> 61);
}
static inline uint16_t gate_epoch(uint64_t word)
{
    return (uint16_t)(word >> 45);
}
static inline unsigned gate_attempt(uint64_t word)
{
    return (unsigned)(word >> 40) & 31;
}
#define GATE_PAYLOAD_MASK ((UINT64_C(1) << 40) - 1)

/* A deadline further away than any policy allows was not written by us: it counts as past, so that nothing that
 * scribbles on the word leaves the breaker open for years. */
static inline bool gate_is_due(uint64_t deadline, uint64_t now_ms)
{
    return deadline <= now_ms || deadline - now_ms > POLICY_MAX_MS;
}

/* Is it open, or forced open, with nothing due? Then gate_step() rejects whatever the policy says, and needs none. */
static inline bool gate_keeps_out(uint64_t word, uint64_t now_ms)
{
    uint64_t until = word & GATE_PAYLOAD_MASK;
    bool due = gate_is_due(until, now_ms & GATE_PAYLOAD_MASK);
    return (gate_state(word) == STATE_OPEN && !due) || (gate_state(word) == STATE_FORCED_OPEN && (until == 0 || !due));
}
static inline unsigned gate_probes(uint64_t word)
{
    return (unsigned)(word >> 34) & 63;
}
static inline unsigned gate_successes(uint64_t word)
{
    return (unsigned)(word >> 28) & 63;
}
static inline unsigned gate_failures(uint64_t word)
{
    return (unsigned)(word >> 22) & 63;
}

#endif
