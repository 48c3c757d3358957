/* The gate: every state and event, exact moments, operators. A pure function: words in, words out. */
#include "gate_fixture.h"

/* ---- every state and event ---- */

static const struct cell {
    enum breaker_state to;
    enum cause cause; /* CAUSE_NONE: the word stays what it was */
} table[STATE_METRICS_ONLY + 1][GATE_OVERRIDE + 1] = {
#define STAYS(state)                                                                                                   \
    {                                                                                                                  \
        state, CAUSE_NONE                                                                                              \
    }
#define OPERATOR_CELLS                                                                                                 \
    [GATE_OPERATOR_TRIP] = {STATE_OPEN, CAUSE_OPERATOR_TRIP}, [GATE_RESET] = {STATE_CLOSED, CAUSE_OPERATOR_RESET},     \
    [GATE_OVERRIDE] = {STATE_FORCED_OPEN, CAUSE_OVERRIDE}
#define IDLE_CELLS(state)                                                                                              \
    [GATE_ACQUIRE] = STAYS(state), [GATE_SUCCESS] = STAYS(state), [GATE_FAILURE] = STAYS(state),                       \
    [GATE_IGNORED] = STAYS(state), [GATE_PROBE_LOST] = STAYS(state), [GATE_LAPSE] = STAYS(state)
    [STATE_CLOSED] = {IDLE_CELLS(STATE_CLOSED),
                      OPERATOR_CELLS, [GATE_TRIP] = {STATE_OPEN, CAUSE_STREAK}, [GATE_AUTO] = STAYS(STATE_CLOSED)},
    [STATE_OPEN] = {IDLE_CELLS(STATE_OPEN),
                    OPERATOR_CELLS, [GATE_TRIP] = STAYS(STATE_OPEN), [GATE_AUTO] = STAYS(STATE_OPEN)},
    [STATE_HALF_OPEN] =
        {OPERATOR_CELLS, [GATE_ACQUIRE] = STAYS(STATE_HALF_OPEN), [GATE_SUCCESS] = {STATE_CLOSED, CAUSE_PROBES_PASSED},
         [GATE_FAILURE] = {STATE_OPEN, CAUSE_PROBE_FAILED}, [GATE_IGNORED] = STAYS(STATE_HALF_OPEN),
         [GATE_TRIP] = STAYS(STATE_HALF_OPEN), [GATE_PROBE_LOST] = {STATE_OPEN, CAUSE_ABANDONED},
         [GATE_LAPSE] = STAYS(STATE_HALF_OPEN), [GATE_AUTO] = STAYS(STATE_HALF_OPEN)},
#define OVERRIDE_CELLS(state)                                                                                          \
    IDLE_CELLS(state), OPERATOR_CELLS, [GATE_TRIP] = STAYS(state), [GATE_AUTO] = {STATE_CLOSED, CAUSE_OVERRIDE_ENDED}
    [STATE_FORCED_OPEN] = {OVERRIDE_CELLS(STATE_FORCED_OPEN)},
    [STATE_DISABLED] = {OVERRIDE_CELLS(STATE_DISABLED)},
    [STATE_METRICS_ONLY] = {OVERRIDE_CELLS(STATE_METRICS_ONLY)},
};

Test(gate, every_state_and_event)
{
    struct policy policy = policy_of("open_timeout=10s");
    for (unsigned state = 0; state <= STATE_METRICS_ONLY; state++)
        for (unsigned event = 0; event <= GATE_OVERRIDE; event++) {
            const struct cell *want = &table[state][event];
            uint64_t word = word_in(state, &policy);
            struct gate_step got = step(word, event, &policy, NOW + 1);
            cr_assert_eq(gate_state(got.next), want->to, "%s, event %u: %s", state_name(state), event,
                         state_name(gate_state(got.next)));
            cr_assert_eq(got.cause, want->cause, "%s, event %u: %s", state_name(state), event, cause_name(got.cause));
            cr_assert_eq(gate_epoch(got.next), EPOCH + (want->cause != CAUSE_NONE));
            if (want->cause == CAUSE_NONE && event != GATE_IGNORED)
                cr_assert_eq(got.next, word, "%s, event %u writes for nothing", state_name(state), event);
        }
}

Test(gate, who_is_admitted)
{
    static const enum breaker_answer answers[] = {
        [STATE_CLOSED] = ANSWER_ADMITTED,           [STATE_OPEN] = ANSWER_REJECTED_OPEN,
        [STATE_HALF_OPEN] = ANSWER_REJECTED_PROBES, [STATE_FORCED_OPEN] = ANSWER_REJECTED_OPEN,
        [STATE_DISABLED] = ANSWER_ADMITTED,         [STATE_METRICS_ONLY] = ANSWER_ADMITTED,
    };
    struct policy policy = policy_of("");
    for (unsigned state = 0; state <= STATE_METRICS_ONLY; state++) {
        struct gate_step got = step(word_in(state, &policy), GATE_ACQUIRE, &policy, NOW);
        cr_assert_eq(got.answer, answers[state], "%s", state_name(state));
        cr_assert_not(got.probe, "%s", state_name(state));
    }
}

Test(gate, an_outcome_of_another_epoch_changes_nothing)
{
    static const enum gate_event events[] = {GATE_SUCCESS, GATE_FAILURE, GATE_IGNORED, GATE_TRIP, GATE_PROBE_LOST};
    static const uint16_t others[] = {0, EPOCH - 1, EPOCH + 1, UINT16_MAX};
    struct policy policy = policy_of("");
    for (unsigned state = 0; state <= STATE_METRICS_ONLY; state++)
        for (size_t event = 0; event < sizeof events / sizeof *events; event++)
            for (size_t other = 0; other < sizeof others / sizeof *others; other++) {
                uint64_t word = word_in(state, &policy);
                struct gate_input input = {.event = events[event], .epoch = others[other], .cause = CAUSE_STREAK};
                struct gate_step got = gate_step(word, input, &policy, NOW + 5);
                cr_assert_eq(got.next, word);
                cr_assert_eq(got.cause, CAUSE_NONE);
            }
}

Test(gate, the_epoch_goes_round)
{
    struct policy policy = policy_of("");
    struct gate_step got = step(gate_closed(UINT16_MAX), GATE_TRIP, &policy, NOW);
    cr_assert_eq(gate_state(got.next), STATE_OPEN);
    cr_assert_eq(gate_epoch(got.next), 0);
}

/* ---- exact moments ---- */

Test(gate, open_ends_exactly_at_its_deadline)
{
    struct policy policy = policy_of("open_timeout=20ms");
    uint64_t word = word_in(STATE_OPEN, &policy);
    cr_assert_eq(step(word, GATE_ACQUIRE, &policy, NOW + 19).answer, ANSWER_REJECTED_OPEN);
    cr_assert_eq(gate_state_at(word, &policy, NOW + 19), STATE_OPEN);
    cr_assert_eq(gate_retry_after_ms(word, &policy, NOW), 20);
    cr_assert_eq(gate_retry_after_ms(word, &policy, NOW + 19), 1);
    cr_assert_eq(gate_state_at(word, &policy, NOW + 20), STATE_HALF_OPEN);
    cr_assert_eq(gate_retry_after_ms(word, &policy, NOW + 20), 0);
    struct gate_step got = step(word, GATE_ACQUIRE, &policy, NOW + 20);
    cr_assert_eq(got.answer, ANSWER_ADMITTED);
    cr_assert(got.probe);
    cr_assert_eq(got.cause, CAUSE_TIMEOUT_ELAPSED);
    cr_assert_eq(gate_probes(got.next), 1);
}

Test(gate, late_failures_do_not_move_the_deadline)
{
    struct policy policy = policy_of("open_timeout=20ms");
    uint64_t word = word_in(STATE_OPEN, &policy);
    for (uint64_t now = NOW; now < NOW + 20; now++) {
        cr_assert_eq(step(word, GATE_FAILURE, &policy, now).next, word);
        cr_assert_eq(step(word, GATE_TRIP, &policy, now).next, word);
    }
}

Test(gate, a_lease_runs_out_exactly)
{
    struct policy policy = policy_of("half_open_timeout=10s open_timeout=1s");
    uint64_t word = word_in(STATE_HALF_OPEN, &policy);
    cr_assert_eq(step(word, GATE_ACQUIRE, &policy, NOW + 9999).answer, ANSWER_REJECTED_PROBES);
    cr_assert_eq(step(word, GATE_LAPSE, &policy, NOW + 9999).next, word);
    struct gate_step got = step(word, GATE_ACQUIRE, &policy, NOW + 10000);
    cr_assert_eq(got.answer, ANSWER_REJECTED_OPEN);
    cr_assert_eq(got.cause, CAUSE_LEASE_LOST);
    cr_assert_eq(gate_state(got.next), STATE_OPEN);
    cr_assert_eq(gate_retry_after_ms(got.next, &policy, NOW + 10000), 1000);
    cr_assert_eq(gate_state_at(word, &policy, NOW + 10000), STATE_OPEN);
    cr_assert_eq(step(word, GATE_LAPSE, &policy, NOW + 10000).next, got.next);
}

/* The lease's start is kept modulo 70 minutes; that must not show wherever it falls. */
Test(gate, a_lease_runs_out_wherever_it_begins)
{
    struct policy policy = policy_of("half_open_timeout=30m open_timeout=1ms");
    for (uint64_t start = NOW; start < NOW + (UINT64_C(1) << 23); start += 9973) {
        uint64_t open = step(gate_closed(EPOCH), GATE_TRIP, &policy, start - 1).next;
        uint64_t word = step(open, GATE_ACQUIRE, &policy, start).next;
        cr_assert_eq(step(word, GATE_LAPSE, &policy, start + 1799999).next, word);
        cr_assert_eq(step(word, GATE_LAPSE, &policy, start + 1800000).cause, CAUSE_LEASE_LOST);
        cr_assert_eq(step(word, GATE_LAPSE, &policy, start - 4).next, word, "a clock a tick behind ends a lease");
    }
}

Test(gate, the_newest_lease_counts_and_only_when_all_are_taken)
{
    struct policy policy = policy_of("half_open_max_calls=2 half_open_timeout=10s success_threshold=2");
    uint64_t one = word_in(STATE_HALF_OPEN, &policy);
    cr_assert_eq(step(one, GATE_LAPSE, &policy, NOW + 60000).next, one, "a free probe is enough to go on");
    uint64_t two = step(one, GATE_ACQUIRE, &policy, NOW + 5000).next;
    cr_assert_eq(gate_probes(two), 2);
    cr_assert_eq(step(two, GATE_LAPSE, &policy, NOW + 14999).next, two);
    cr_assert_eq(step(two, GATE_LAPSE, &policy, NOW + 15000).cause, CAUSE_LEASE_LOST);
}

/* ---- operators ---- */

Test(gate, an_override_ends_exactly_when_it_should)
{
    static const enum breaker_state overrides[] = {STATE_FORCED_OPEN, STATE_DISABLED, STATE_METRICS_ONLY};
    struct policy policy = policy_of("");
    for (size_t i = 0; i < 3; i++) {
        uint64_t word = override_word(overrides[i], NOW + 5000, &policy);
        cr_assert_eq(gate_state_at(word, &policy, NOW + 4999), overrides[i]);
        cr_assert_eq(step(word, GATE_LAPSE, &policy, NOW + 4999).next, word);
        cr_assert_eq(gate_state_at(word, &policy, NOW + 5000), STATE_CLOSED);
        struct gate_step got = step(word, GATE_ACQUIRE, &policy, NOW + 5000);
        cr_assert_eq(got.next, gate_closed(EPOCH + 1));
        cr_assert_eq(got.answer, ANSWER_ADMITTED);
        cr_assert_eq(got.cause, CAUSE_OVERRIDE_ENDED);
    }
}

Test(gate, an_override_without_an_end_stays)
{
    struct policy policy = policy_of("");
    uint64_t word = override_word(STATE_FORCED_OPEN, 0, &policy);
    cr_assert_eq(gate_state_at(word, &policy, NOW + (UINT64_C(1) << 39)), STATE_FORCED_OPEN);
    cr_assert_eq(gate_retry_after_ms(word, &policy, NOW), UINT64_MAX);
    cr_assert_eq(gate_retry_after_ms(override_word(STATE_FORCED_OPEN, NOW + 9, &policy), &policy, NOW), 9);
    cr_assert_eq(gate_retry_after_ms(override_word(STATE_DISABLED, 0, &policy), &policy, NOW), 0);
}

Test(gate, an_operators_trip_lasts_the_usual_time)
{
    struct policy policy = policy_of("open_timeout=10s");
    for (unsigned state = 0; state <= STATE_METRICS_ONLY; state++) {
        uint64_t word = step(word_in(state, &policy), GATE_OPERATOR_TRIP, &policy, NOW + 3).next;
        cr_assert_eq(gate_retry_after_ms(word, &policy, NOW + 3), 10000, "%s", state_name(state));
    }
}

Test(gate, a_reset_leaves_a_fresh_word)
{
    struct policy policy = policy_of("backoff_multiplier=2");
    for (unsigned state = 0; state <= STATE_METRICS_ONLY; state++)
        cr_assert_eq(step(word_in(state, &policy), GATE_RESET, &policy, NOW).next, gate_closed(EPOCH + 1));
}
