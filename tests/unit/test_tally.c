/* What is added up for readers while calls are half counted: a latency is there, and what is subtracted for it is not. */
#include <criterion/criterion.h>

#include "core/call.h"
#include "core/panel.h"

static struct segment segment;
static struct lane *lane;
static uint64_t clock_ms = 1000000;
static uint32_t slot;
static struct tally tally;

static uint32_t create(const char *name, const char *text)
{
    struct policy policy;
    char error[SEGMENT_ERROR_SIZE];
    uint32_t made;
    cr_assert_eq(policy_parse(text, &policy, error), 0, "%s", error);
    cr_assert_geq(panel_create(&segment, name, &policy, 0, &made, error), 0, "%s", error);
    return made;
}

static void begin(void)
{
    struct geometry geometry;
    geometry_default(&geometry, 16);
    geometry.stripes = 1;
    geometry.chunk_count = 64;
    geometry.worker_count = 8;
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    segment.virtual_ms = &clock_ms;
    cr_assert_eq(lane_create(&lane), 0);
    slot = create("b", "failure_threshold=100 timing=precise window=time:10s");
}

static void end(void)
{
    lane_destroy(&segment, lane);
    segment_close(&segment);
}

TestSuite(tally, .init = begin, .fini = end);

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
