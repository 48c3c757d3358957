/* Words and steps for the tests of the gate. */
#ifndef TESTS_GATE_FIXTURE_H
#define TESTS_GATE_FIXTURE_H

#include <criterion/criterion.h>

#include "core/gate.h"

#define EPOCH 41
#define NOW   1000000

static inline struct policy policy_of(const char *text)
{
    struct policy policy;
    char error[POLICY_ERROR_SIZE];
    cr_assert_eq(policy_parse(text, &policy, error), 0, "%s", error);
    return policy;
}

/* One step with an input of the word's own epoch. */
static inline struct gate_step step(uint64_t word, enum gate_event event, const struct policy *policy, uint64_t now)
{
    struct gate_input input = {.event = event, .epoch = gate_epoch(word), .to = STATE_FORCED_OPEN};
    if (event == GATE_TRIP)
        input.cause = CAUSE_STREAK;
    return gate_step(word, input, policy, now);
}

static inline uint64_t override_word(enum breaker_state to, uint64_t until, const struct policy *policy)
{
    struct gate_input input = {.event = GATE_OVERRIDE, .to = to, .until_ms = until};
    return gate_step(gate_closed(EPOCH - 1), input, policy, NOW).next;
}

/* A word in `state` and EPOCH: open until NOW + open_timeout; half-open with one probe taken at NOW. */
static inline uint64_t word_in(enum breaker_state state, const struct policy *policy)
{
    uint64_t open;
    switch (state) {
    case STATE_CLOSED:
        return gate_closed(EPOCH);
    case STATE_OPEN:
        return step(gate_closed(EPOCH - 1), GATE_TRIP, policy, NOW).next;
    case STATE_HALF_OPEN:
        open = step(gate_closed(EPOCH - 2), GATE_TRIP, policy, NOW - policy->open_timeout_ms).next;
        return step(open, GATE_ACQUIRE, policy, NOW).next;
    default:
        return override_word(state, 0, policy);
    }
}

#endif
