/* What is added up for readers while calls are half counted: a latency is there, and what is subtracted for it is not. */
#include <criterion/criterion.h>

#include "breaker_fixture.h" /* behind core's headers, whose parameters have its names */

static struct tally tally;

static void begin(void)
{
    breaker_begin(1, "failure_threshold=100 timing=precise window=time:10s");
}

TestSuite(tally, .init = begin, .fini = breaker_end);

static void call(enum outcome outcome)
{
    struct held held;
    cr_assert_eq(call_acquire(&segment, lane, slot, panel_commit(&segment, slot), &held), ANSWER_ADMITTED);
    cr_assert_eq(call_settle(&segment, lane, &held, outcome, 1000000), CALL_SETTLED);
}

static void half_counted(unsigned failures)
{
    atomic_fetch_add(&segment_stripe(&segment, slot, 0)->latency[3], failures);
}

static void fully_counted(unsigned failures)
{
    atomic_fetch_add(&segment_stripe(&segment, slot, 0)->timed_otherwise, failures);
}

static const struct tally *look(void)
{
    tally_slot(&segment, slot, &tally);
    return &tally;
}

Test(tally, a_window_that_began_between_two_counters_has_no_more_calls_than_there_were)
{
    half_counted(2);
    call(OUTCOME_FAILURE);
    fully_counted(2);
    cr_expect_eq(look()->window_calls, 1, "%lu", (unsigned long)tally.window_calls);
    cr_expect_eq(tally.window_failures, 1);
}

Test(tally, successes_that_were_told_are_not_taken_back)
{
    call(OUTCOME_SUCCESS);
    half_counted(2);
    tally_tell(&segment, slot, look());
    cr_expect_eq(tally.successes, 3);
    fully_counted(2);
    cr_expect_eq(look()->successes, 3);
    for (int i = 0; i < 3; i++)
        call(OUTCOME_SUCCESS);
    cr_expect_eq(look()->successes, 4);
}

Test(tally, a_new_breaker_and_counts_that_were_repaired_begin_anew)
{
    struct stripe *stripe = segment_stripe(&segment, slot, 0);
    atomic_store(&stripe->successes, UINT64_C(1) << 40);
    tally_tell(&segment, slot, look());
    atomic_store(&stripe->successes, 5);
    tally_tell(&segment, slot, look());
    cr_expect_eq(tally.successes, 5);
    cr_assert_eq(panel_remove(&segment, slot), 0);
    cr_assert_eq(create("c", ""), slot);
    cr_expect_eq(look()->successes, 0);
}
