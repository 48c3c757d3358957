/* The gate's way back: how probes decide, and how long it stays open when they fail. */
#include "gate_fixture.h"

/* ---- probes ---- */

Test(gate, probes_are_capped_and_come_back_one_by_one)
{
    struct policy policy = policy_of("half_open_max_calls=63 success_threshold=63");
    uint64_t word = word_in(STATE_HALF_OPEN, &policy);
    for (unsigned probes = 1; probes < 63; probes++) {
        cr_assert_eq(gate_probes(word), probes);
        word = step(word, GATE_ACQUIRE, &policy, NOW).next;
    }
    struct gate_step full = step(word, GATE_ACQUIRE, &policy, NOW);
    cr_assert_eq(full.answer, ANSWER_REJECTED_PROBES);
    cr_assert_eq(full.next, word);
    word = step(word, GATE_IGNORED, &policy, NOW).next;
    cr_assert_eq(gate_probes(word), 62);
    cr_assert(step(word, GATE_ACQUIRE, &policy, NOW).probe);
    cr_assert_eq(step(full.next, GATE_ACQUIRE, &policy, NOW).answer, ANSWER_REJECTED_PROBES);
}

Test(gate, exactly_success_threshold_successes_close)
{
    struct policy policy = policy_of("half_open_max_calls=1 success_threshold=63");
    uint64_t word = word_in(STATE_HALF_OPEN, &policy);
    for (int success = 1; success < 63; success++) {
        word = step(word, GATE_SUCCESS, &policy, NOW).next;
        cr_assert_eq(gate_state(word), STATE_HALF_OPEN, "closed after %d of 63", success);
        word = step(word, GATE_ACQUIRE, &policy, NOW).next;
    }
    word = step(word, GATE_SUCCESS, &policy, NOW).next;
    cr_assert_eq(word, gate_closed(EPOCH + 1));
}

Test(gate, one_failure_reopens_whatever_came_before)
{
    struct policy policy = policy_of("half_open_max_calls=3 success_threshold=3 open_timeout=1s");
    uint64_t word = word_in(STATE_HALF_OPEN, &policy);
    word = step(word, GATE_ACQUIRE, &policy, NOW).next;
    word = step(word, GATE_SUCCESS, &policy, NOW).next;
    struct gate_step got = step(word, GATE_FAILURE, &policy, NOW + 7);
    cr_assert_eq(gate_state(got.next), STATE_OPEN);
    cr_assert_eq(gate_retry_after_ms(got.next, &policy, NOW + 7), 1000, "a fresh deadline");
}

Test(gate, a_probes_cause_is_kept)
{
    struct policy policy = policy_of("");
    struct gate_input input = {.event = GATE_FAILURE, .epoch = EPOCH, .cause = CAUSE_OVERDUE};
    cr_assert_eq(gate_step(word_in(STATE_HALF_OPEN, &policy), input, &policy, NOW).cause, CAUSE_OVERDUE);
}

/* `successes` and then failures up to `probes`, one after the other: the state that they end in. */
static enum breaker_state judged(const struct policy *policy, unsigned successes, unsigned probes)
{
    uint64_t word = word_in(STATE_HALF_OPEN, policy);
    for (unsigned i = 0; i < probes; i++) {
        cr_assert_eq(gate_state(word), STATE_HALF_OPEN, "decided after %u of %u probes", i, probes);
        if (i > 0)
            word = step(word, GATE_ACQUIRE, policy, NOW).next;
        word = step(word, i < successes ? GATE_SUCCESS : GATE_FAILURE, policy, NOW).next;
    }
    return gate_state(word);
}

Test(gate, by_rate_enough_probes_decide)
{
    struct policy half = policy_of("half_open_success_rate=50 half_open_minimum_probes=10");
    struct policy all = policy_of("half_open_success_rate=100 half_open_minimum_probes=63");
    struct policy one = policy_of("half_open_success_rate=1 half_open_minimum_probes=1");
    for (unsigned successes = 0; successes <= 10; successes++)
        cr_assert_eq(judged(&half, successes, 10), successes >= 5 ? STATE_CLOSED : STATE_OPEN, "%u of 10", successes);
    cr_assert_eq(judged(&all, 63, 63), STATE_CLOSED);
    cr_assert_eq(judged(&all, 62, 63), STATE_OPEN);
    cr_assert_eq(judged(&one, 1, 1), STATE_CLOSED);
    cr_assert_eq(judged(&one, 0, 1), STATE_OPEN);
}

/* ---- backoff ---- */

/* How long the `reopens`-th re-opening without a close in between lasts. */
static uint64_t open_ms(const struct policy *policy, unsigned reopens, uint64_t now)
{
    uint64_t word = step(gate_closed(EPOCH), GATE_TRIP, policy, now).next;
    for (; reopens > 0; reopens--) {
        now += gate_retry_after_ms(word, policy, now);
        word = step(word, GATE_ACQUIRE, policy, now).next;
        word = step(word, GATE_FAILURE, policy, now).next;
    }
    return gate_retry_after_ms(word, policy, now);
}

Test(gate, backoff_multiplies_up_to_its_cap)
{
    struct policy policy = policy_of("open_timeout=1s backoff_multiplier=1.5 max_open_timeout=4s");
    static const uint64_t want[] = {1000, 1500, 2250, 3375, 4000, 4000};
    for (unsigned i = 0; i < sizeof want / sizeof *want; i++)
        cr_assert_eq(open_ms(&policy, i, NOW), want[i], "re-opening %u: %lu ms", i, open_ms(&policy, i, NOW));
}

Test(gate, backoff_saturates_at_the_extremes)
{
    struct policy policy = policy_of("open_timeout=1ms backoff_multiplier=100 max_open_timeout=168h");
    struct policy slow = policy_of("open_timeout=1s backoff_multiplier=1.001");
    cr_assert_eq(open_ms(&policy, 40, NOW), POLICY_MAX_MS);
    cr_assert_eq(open_ms(&slow, 31, NOW), open_ms(&slow, 32, NOW), "the attempt saturates");
    cr_assert_leq(open_ms(&slow, 500, NOW), 1100);
}

Test(gate, a_close_ends_the_backoff)
{
    struct policy policy = policy_of("open_timeout=1s backoff_multiplier=10");
    uint64_t word = step(word_in(STATE_HALF_OPEN, &policy), GATE_FAILURE, &policy, NOW).next;
    cr_assert_eq(gate_retry_after_ms(word, &policy, NOW), 10000);
    word = step(word, GATE_ACQUIRE, &policy, NOW + 10000).next;
    word = step(word, GATE_SUCCESS, &policy, NOW + 10000).next;
    cr_assert_eq(gate_attempt(word), 0);
    word = step(word, GATE_TRIP, &policy, NOW + 10000).next;
    cr_assert_eq(gate_retry_after_ms(word, &policy, NOW + 10000), 1000);
}

Test(gate, jitter_stays_in_its_bounds_and_fills_them)
{
    struct policy policy = policy_of("open_timeout=1s jitter=20");
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t now = NOW; now < NOW + 20000; now++) {
        uint64_t ms = open_ms(&policy, 0, now);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    cr_assert(least >= 800 && least < 820, "at least %lu", least);
    cr_assert(most <= 1200 && most > 1180, "at most %lu", most);
}

Test(gate, jitter_respects_the_cap_and_never_reaches_zero)
{
    struct policy capped = policy_of("open_timeout=1s max_open_timeout=1s jitter=100");
    struct policy tiny = policy_of("open_timeout=1ms jitter=100");
    for (uint64_t now = NOW; now < NOW + 20000; now++) {
        uint64_t ms = open_ms(&capped, 0, now);
        cr_assert(ms >= 1 && ms <= 1000, "%lu ms", ms);
        cr_assert_geq(open_ms(&tiny, 0, now), 1);
    }
}
