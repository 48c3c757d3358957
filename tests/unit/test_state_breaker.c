/* A breaker out of one memory, as a state file keeps it, and into another: nothing that is kept gets lost on the way. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/events.h"
#include "core/gate.h"
#include "core/panel.h"
#include "registryd/state_breaker.h"
#include "tests/small_geometry.h"

#define WALL_MS UINT64_C(1795253400250)

static struct segment before, after;
static struct state_entry entry;

static void start(void)
{
    struct policy policy;
    char error[POLICY_ERROR_SIZE];
    uint32_t slot;
    cr_assert(segment_private(&small_geometry, &before) == 0 && segment_private(&small_geometry, &after) == 0);
    cr_assert_eq(policy_parse("open_timeout=10s backoff_multiplier=2 max_open_timeout=40s", &policy, error), 0);
    cr_assert_eq(panel_create(&before, "a", &policy, 1000, &slot, error), PANEL_CREATED);
    cr_assert_eq(slot, 0);
}

static void stop(void)
{
    segment_close(&before);
    segment_close(&after);
}

TestSuite(state_breaker, .init = start, .fini = stop);

static uint64_t gate_of(const struct segment *segment)
{
    return atomic_load(&segment_slot(segment, 0)->gate);
}

static void set_gate(uint64_t gate)
{
    atomic_store(&segment_slot(&before, 0)->gate, gate);
}

static uint64_t until_of(uint64_t gate)
{
    return gate & GATE_PAYLOAD_MASK;
}

static void impose(enum breaker_state state, uint64_t until_ms)
{
    struct override override = {.state = state, .uid = 1001, .pid = 4711, .until_ms = until_ms};
    strcpy(override.reason, "ticket 4711");
    cr_assert_eq(panel_set_override(&before, 0, &override), 0);
    set_gate(gate_until(state, 7, 0, until_ms));
}

/* Some time passes between. */
static void carry_over(uint64_t later_ms)
{
    char error[SEGMENT_ERROR_SIZE];
    cr_assert(state_breaker_read(&before, 0, WALL_MS, &entry));
    cr_assert_eq(state_breaker_create(&after, &entry, WALL_MS, WALL_MS + later_ms, error), 0, "%s", error);
}

static struct control_copy block_of(const struct segment *segment)
{
    struct control_copy block;
    cr_assert(panel_read(segment, 0, &block, NULL));
    return block;
}

static void expect_near(uint64_t until_ms, uint64_t left_ms)
{
    uint64_t wanted = segment_now_ms(&after) + left_ms;
    cr_expect(until_ms <= wanted && until_ms + 1000 > wanted, "%lld ms left, not %lld",
              (long long)(until_ms - segment_now_ms(&after)), (long long)left_ms);
}

Test(state_breaker, comes_with_its_name_and_policy)
{
    carry_over(0);
    struct control_copy was = block_of(&before), is = block_of(&after);
    cr_expect_str_eq(is.name, "a");
    cr_expect_eq(is.creator_uid, 1000);
    cr_expect(memcmp(&is.policy, &was.policy, sizeof is.policy) == 0);
    cr_expect(gate_state(gate_of(&after)) == STATE_CLOSED && is.override.state == STATE_CLOSED);
}

Test(state_breaker, open_has_its_attempts_and_what_was_left)
{
    set_gate(gate_until(STATE_OPEN, 7, 3, segment_now_ms(&before) + 30000));
    carry_over(10000);
    cr_expect(gate_state(gate_of(&after)) == STATE_OPEN && gate_attempt(gate_of(&after)) == 3);
    expect_near(until_of(gate_of(&after)), 20000);
}

Test(state_breaker, open_whose_time_is_up_and_half_open_are_open_and_due)
{
    const uint64_t due = gate_until(STATE_OPEN, 7, 2, 1), probing = gate_until(STATE_HALF_OPEN, 7, 2, 5);
    set_gate(due);
    cr_assert(state_breaker_read(&before, 0, WALL_MS, &entry));
    cr_expect(entry.state == STATE_OPEN && entry.until_ms == WALL_MS);
    set_gate(probing);
    carry_over(0);
    cr_expect(gate_state(gate_of(&after)) == STATE_OPEN && gate_attempt(gate_of(&after)) == 2);
    cr_expect(until_of(gate_of(&after)) <= segment_now_ms(&after));
}

/* No policy allows for it: scribbled, or of another clock. */
Test(state_breaker, open_never_lasts_longer_than_its_policy_lets_it)
{
    set_gate(gate_until(STATE_OPEN, 7, 0, segment_now_ms(&before) + 3600000));
    carry_over(0);
    expect_near(until_of(gate_of(&after)), 40000);
}

Test(state_breaker, an_override_has_its_author_reason_and_end)
{
    impose(STATE_FORCED_OPEN, segment_now_ms(&before) + 600000);
    carry_over(100000);
    struct override override = block_of(&after).override;
    cr_expect(gate_state(gate_of(&after)) == STATE_FORCED_OPEN && override.state == STATE_FORCED_OPEN);
    cr_expect(override.uid == 1001 && override.pid == 4711 && override.until_ms == until_of(gate_of(&after)));
    cr_expect_str_eq(override.reason, "ticket 4711");
    expect_near(override.until_ms, 500000);
}

Test(state_breaker, an_override_without_an_end_has_none)
{
    impose(STATE_DISABLED, 0);
    carry_over(100000);
    cr_expect(gate_state(gate_of(&after)) == STATE_DISABLED && until_of(gate_of(&after)) == 0);
}

Test(state_breaker, an_override_that_has_ended_is_over)
{
    impose(STATE_METRICS_ONLY, segment_now_ms(&before) + 600000);
    carry_over(600000);
    cr_expect(gate_state(gate_of(&after)) == STATE_CLOSED && block_of(&after).override.state == STATE_CLOSED);
    impose(STATE_METRICS_ONLY, 1);
    cr_expect(state_breaker_read(&before, 0, WALL_MS, &entry) && entry.state == STATE_CLOSED);
}

Test(state_breaker, its_first_event_says_what_it_came_back_as)
{
    struct event event;
    impose(STATE_FORCED_OPEN, 0);
    carry_over(0);
    cr_assert(events_last(&after) == 1 && events_read(&after, 1, &event));
    cr_expect(event.cause == CAUSE_RESTORED && event.to == STATE_FORCED_OPEN && event.uid == 1001 && event.pid == 4711);
    cr_expect_str_eq(event.reason, "ticket 4711");
    cr_expect_eq(event.epoch, gate_epoch(gate_of(&after)));
}

Test(state_breaker, there_twice_is_an_error)
{
    char error[SEGMENT_ERROR_SIZE];
    carry_over(0);
    cr_expect_eq(state_breaker_create(&after, &entry, WALL_MS, WALL_MS, error), -EEXIST);
    cr_expect(strstr(error, "twice"), "%s", error);
}

/* What is kept changes the mark; what is not leaves it alone. */
Test(state_breaker, the_mark_follows_what_is_kept)
{
    uint64_t closed = state_breaker_mark(&before);
    set_gate(gate_closed(9));
    cr_expect_eq(state_breaker_mark(&before), closed);
    set_gate(gate_until(STATE_OPEN, 10, 0, 1));
    uint64_t open = state_breaker_mark(&before);
    cr_expect_neq(open, closed);
    set_gate(gate_until(STATE_HALF_OPEN, 11, 0, 1));
    uint64_t probing = state_breaker_mark(&before);
    cr_expect_neq(probing, open);
    set_gate(gate_until(STATE_HALF_OPEN, 11, 0, 99)); /* another probe */
    cr_expect_eq(state_breaker_mark(&before), probing);
    impose(STATE_DISABLED, 0);
    uint64_t imposed = state_breaker_mark(&before);
    cr_expect_neq(imposed, probing);
    cr_assert_eq(panel_set_override(&before, 0, &(struct override){.state = STATE_DISABLED}), 0);
    cr_expect_neq(state_breaker_mark(&before), imposed);
}
