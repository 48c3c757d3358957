/* The events: the ring, the scribe that writes it, what actions leave there, and how events read. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/action.h"
#include "core/journal.h"
#include "core/transition.h"

#define LENGTH 16 /* of the ring */

static struct segment segment;
static struct scribe scribe;
static uint64_t now_ms;
static uint32_t heard;
static char error[SEGMENT_ERROR_SIZE];
static const struct actor operator= {.pid = 4711, .uid = 1000};

static struct policy policy_of(const char *text)
{
    struct policy policy;
    char fault[POLICY_ERROR_SIZE];
    cr_assert_eq(policy_parse(text, &policy, fault), 0, "%s", fault);
    return policy;
}

static void listen(const struct event *event, void *arg)
{
    cr_assert_eq(arg, &heard);
    cr_assert_eq(event->sequence, ++heard, "each once, in order");
}

static void begin(void)
{
    struct geometry geometry = {4, 1, 2, 2, 4, 64, LENGTH};
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    now_ms = 1000000;
    heard = 0;
    segment.virtual_ms = &now_ms;
    cr_assert_eq(scribe_open(&scribe, &segment, listen, &heard), 0);
}

static void end(void)
{
    scribe_close(&scribe);
    segment_close(&segment);
}

TestSuite(events, .init = begin, .fini = end);

static uint32_t create(const char *name, const char *text)
{
    struct policy policy = policy_of(text);
    uint32_t slot = UINT32_MAX;
    cr_assert_eq(action_create(&scribe, operator, name, &policy, &slot, error), PANEL_CREATED, "%s", error);
    return slot;
}

static struct event last(void)
{
    struct event event;
    cr_assert(events_read(&segment, events_last(&segment), &event));
    return event;
}

/* The newest event reads so. */
static struct event expect_text(const char *wanted)
{
    struct event event = last();
    char text[EVENT_TEXT_SIZE];
    cr_assert_str_eq(event_text(&event, text), wanted);
    return event;
}

/* ---- the ring ---- */

Test(events, the_ring_keeps_the_newest)
{
    struct event event = {.cause = CAUSE_POLICY, .slot = 0};
    cr_assert(events_last(&segment) == 0 && events_first(&segment) == 1);
    cr_assert(!events_read(&segment, 0, &event) && !events_read(&segment, 1, &event));
    for (uint64_t i = 1; i <= 40; i++) {
        event.value = i;
        cr_assert_eq(events_append(&segment, &event), 0);
        cr_assert_eq(event.sequence, i);
    }
    cr_assert_eq(events_last(&segment), 40);
    cr_assert_eq(events_first(&segment), 40 - LENGTH + 2, "one place is for the next");
    for (uint64_t i = 0; i <= 41; i++) {
        bool there = i > 40 - LENGTH && i <= 40;
        cr_assert_eq(events_read(&segment, i, &event), there, "%u", (unsigned)i);
        cr_assert(!there || event.value == i);
    }
}

/* A writer may be stopped, or die, over the next event: what it has begun to write over is not among those that a reader
 * is told to read, or he would try for ever. */
Test(events, what_is_being_written_over_is_nobodys_to_wait_for)
{
    struct event event = {.cause = CAUSE_POLICY, .slot = 0};
    for (uint64_t i = 1; i <= 3 * LENGTH; i++) {
        cr_assert_eq(events_append(&segment, &event), 0);
        struct event next = segment.events[(i + 1) % LENGTH];
        ((struct event *)segment.events)[(i + 1) % LENGTH].sequence = 0;
        for (uint64_t at = events_first(&segment); at <= i; at++)
            cr_assert(events_read(&segment, at, &event), "%u of %u", (unsigned)at, (unsigned)i);
        ((struct event *)segment.events)[(i + 1) % LENGTH] = next;
    }
}

/* ---- actions ---- */

Test(events, every_action_says_who_and_why)
{
    uint32_t slot = create("b", "failure_threshold=3");
    struct event event = expect_text("created");
    cr_assert(event.uid == 1000 && event.pid == 4711 && event.epoch == 1 && event.incarnation == 1);
    cr_assert_str_eq(event.reason, "failure_threshold=3");

    action_trip(&scribe, operator, slot, "a test");
    event = expect_text("open: tripped by an operator");
    cr_assert(event.from == STATE_CLOSED && event.to == STATE_OPEN && event.uid == 1000 && event.pid == 4711);
    cr_assert(event.epoch == 2 && !event.filled && event.until_ms == now_ms + 30000 && event.time_ms == now_ms);
    cr_assert_str_eq(event.reason, "a test");

    action_reset(&scribe, operator, slot, "");
    expect_text("closed: reset by an operator");

    action_override(&scribe, operator, slot, STATE_FORCED_OPEN, 300000, "ticket 4711");
    event = expect_text("forced-open: imposed by an operator for 5m");
    cr_assert_str_eq(event.reason, "ticket 4711");
    action_override(&scribe, operator, slot, STATE_DISABLED, 0, "");
    expect_text("disabled: imposed by an operator");
    action_override(&scribe, operator, slot, STATE_CLOSED, 0, "over");
    event = expect_text("closed: override ended by an operator");
    cr_assert(event.uid == 1000 && strcmp(event.reason, "over") == 0);

    struct policy other = policy_of("failure_threshold=9");
    cr_assert_eq(action_set_policy(&scribe, operator, slot, &other, error), 0);
    event = expect_text("policy changed");
    cr_assert_str_eq(event.reason, "failure_threshold=9");

    action_remove(&scribe, operator, slot, "gone");
    event = expect_text("removed");
    cr_assert(strcmp(event.name, "b") == 0 && strcmp(event.reason, "gone") == 0);
    cr_assert_eq(heard, 8);
    now_ms += 5000;
    scribe_turn(&scribe);
    cr_assert_eq(heard, 8, "and nothing twice");
}

Test(events, what_changes_nothing_is_no_event)
{
    uint32_t slot = create("b", "failure_threshold=3"), found;
    struct policy same = policy_of("failure_threshold=3"), bad = policy_of("max_concurrent=5");
    action_override(&scribe, operator, slot, STATE_CLOSED, 0, "no override");
    cr_assert_eq(action_set_policy(&scribe, operator, slot, &same, error), 0);
    cr_assert_eq(action_create(&scribe, operator, "b", &same, &found, error), PANEL_FOUND);
    cr_assert_eq(action_set_policy(&scribe, operator, slot, &bad, error), -ENOSPC);
    cr_assert_eq(action_create(&scribe, operator, "c", &bad, &found, error), -ENOSPC);
    cr_assert_eq(action_create(&scribe, operator, "no name", &same, &found, error), SEGMENT_ENAME);
    cr_assert_eq(heard, 1);
    cr_assert_eq(segment.panel->order.number, 0, "no order is left");
}

/* A worker's transition that is not noted yet when an operator acts comes first, filled in. */
Test(events, an_action_waits_for_nobody)
{
    uint32_t slot = create("b", "");
    atomic_store(&segment_slot(&segment, slot)->gate, gate_closed(2) | (uint64_t)STATE_OPEN << 61 | (now_ms + 5000));
    action_reset(&scribe, operator, slot, "why");
    struct event filled;
    cr_assert(events_read(&segment, 2, &filled));
    cr_assert(filled.filled && filled.epoch == 2 && filled.to == STATE_OPEN);
    struct event event = last();
    cr_assert(event.sequence == 3 && event.epoch == 3 && event.from == STATE_OPEN && event.uid == 1000);
}

Test(events, a_removed_breaker_keeps_its_name_and_the_next_begins_anew)
{
    uint32_t slot = create("one", "");
    action_trip(&scribe, operator, slot, "");
    action_remove(&scribe, operator, slot, "");
    cr_assert_eq(create("two", ""), slot, "the slot that became free");
    struct event event;
    cr_assert(events_read(&segment, 2, &event) && strcmp(event.name, "one") == 0 && event.to == STATE_OPEN);
    event = last();
    cr_assert(event.cause == CAUSE_CREATED && event.slot == slot && event.incarnation == 2);
    action_trip(&scribe, operator, slot, "");
    cr_assert(last().incarnation == 2 && !last().filled);
}

/* ---- too fast ---- */

#define STORM 1000

/* A worker that changes a breaker as soon as its last change is written down. */
static void change_again(const struct event *event, void *changes)
{
    if (++*(unsigned *)changes < STORM)
        call_operate(&segment, event->slot, (struct gate_input){.event = GATE_OPERATOR_TRIP}, (struct actor){.pid = 7});
}

Test(events, who_changes_faster_than_is_written_keeps_nobody_busy)
{
    struct scribe other;
    unsigned changes = 0;
    uint32_t slot = create("b", "");
    cr_assert_eq(scribe_open(&other, &segment, change_again, &changes), 0);
    call_operate(&segment, slot, (struct gate_input){.event = GATE_OPERATOR_TRIP}, (struct actor){.pid = 7});
    scribe_turn(&other);
    cr_assert(changes > 0 && changes <= segment.journal_length, "%u in one turn", changes);
    for (int i = 0; i < STORM && changes < STORM; i++)
        scribe_turn(&other);
    cr_assert_eq(changes, STORM, "and all in the end");
    scribe_close(&other);
}

/* ---- taking over ---- */

static void successor(void)
{
    scribe_close(&scribe);
    cr_assert_eq(scribe_open(&scribe, &segment, listen, &heard), 0);
}

Test(events, a_successor_goes_on_where_the_last_one_was)
{
    uint32_t slot = create("b", "");
    struct gate_input trip = {.event = GATE_TRIP, .epoch = 1, .cause = CAUSE_STREAK};
    struct policy policy = policy_of("");
    struct numbers numbers = {5, 0, 5};
    successor();
    cr_assert_eq(heard, 1);
    transition_apply(&segment, slot, trip, &policy, &numbers, (struct actor){.pid = 7});
    successor();
    expect_text("open: 5 consecutive failures (threshold 5)");
    successor();
    cr_assert_eq(heard, 2);
}

/* Whoever imposed it was killed between the block and the gate. */
Test(events, a_successor_puts_into_force_what_was_only_imposed)
{
    uint32_t slot = create("b", "");
    struct override left = {.state = STATE_FORCED_OPEN, .uid = 42, .pid = 7, .reason = "ticket 4711"};
    struct override over = {.state = STATE_DISABLED, .until_ms = now_ms};
    panel_set_override(&segment, slot, &left);
    panel_set_override(&segment, create("c", ""), &over);
    successor();
    action_resume(&scribe);
    cr_expect_eq(gate_state(atomic_load(&segment_slot(&segment, slot)->gate)), STATE_FORCED_OPEN);
    expect_text("forced-open: imposed by an operator");
    struct event event = last();
    cr_expect(event.uid == 42 && event.pid == 7 && event.slot == slot);
    cr_expect_str_eq(event.reason, "ticket 4711");
    action_resume(&scribe);
    cr_expect_eq(heard, 3, "two creations and this, once");
}

Test(events, breakers_that_nobody_announced_are_announced)
{
    struct policy policy = policy_of("");
    uint32_t slot;
    cr_assert_eq(panel_create(&segment, "b", &policy, 33, &slot, error), PANEL_CREATED);
    struct gate_input trip = {.event = GATE_TRIP, .epoch = 1, .cause = CAUSE_STREAK};
    transition_apply(&segment, slot, trip, &policy, NULL, (struct actor){.pid = 7});
    successor();
    struct event event;
    cr_assert(events_read(&segment, 1, &event) && event.cause == CAUSE_CREATED && event.uid == 33 && event.epoch == 1);
    cr_assert(events_read(&segment, 2, &event) && event.cause == CAUSE_STREAK && !event.filled && event.epoch == 2);
    cr_assert_eq(heard, 2);
}

/* Somebody has written over it while nobody was there: what it does from then on is not taken for what is known. */
Test(events, a_gate_that_was_set_back_meanwhile_goes_on_from_there)
{
    struct policy policy = policy_of("");
    uint32_t slot = create("b", "");
    for (int i = 0; i < 5; i++)
        action_trip(&scribe, operator, slot, "");
    scribe_close(&scribe);
    atomic_store(&segment_slot(&segment, slot)->gate, gate_closed(0));
    cr_assert_eq(scribe_open(&scribe, &segment, listen, &heard), 0);
    struct event event = expect_text("closed: written over, or changed too often to be followed");
    cr_assert(event.filled && event.from == STATE_OPEN && event.epoch == 0);
    struct gate_input trip = {.event = GATE_TRIP, .epoch = 0, .cause = CAUSE_STREAK};
    transition_apply(&segment, slot, trip, &policy, &(struct numbers){5, 0, 5}, (struct actor){.pid = 7});
    scribe_turn(&scribe);
    expect_text("open: 5 consecutive failures (threshold 5)");
    action_reset(&scribe, operator, slot, "");
    expect_text("closed: reset by an operator");
    atomic_store(&segment_slot(&segment, slot)->gate, gate_closed(0));
    action_trip(&scribe, operator, slot, "what an operator does is always said");
    expect_text("open: tripped by an operator");
}

/* ---- how events read ---- */

static void expect_reading(const char *wanted, struct event event)
{
    char text[EVENT_TEXT_SIZE];
    cr_expect_str_eq(event_text(&event, text), wanted);
}

Test(sentence, says_what_led_where)
{
#define READS(wanted, ...) expect_reading(wanted, (struct event){.uid = EVENT_NOBODY, __VA_ARGS__})
#define OPENS(c)           .from = STATE_CLOSED, .to = STATE_OPEN, .cause = (c)
#define REOPENS(c)         .from = STATE_HALF_OPEN, .to = STATE_OPEN, .cause = (c)
#define NUMBERS(v, o, t)   .value = (v), .of = (o), .threshold = (t)
    READS("open: 5 consecutive failures (threshold 5)", OPENS(CAUSE_STREAK), NUMBERS(5, 0, 5));
    READS("open: 1 consecutive failure (threshold 1)", OPENS(CAUSE_STREAK), NUMBERS(1, 0, 1));
    READS("open: 3 consecutive failures, the last one abandoned (threshold 3)", OPENS(CAUSE_ABANDONED),
          NUMBERS(3, 0, 3));
    READS("open: 3 consecutive failures, the last one overdue (threshold 3)", OPENS(CAUSE_OVERDUE), NUMBERS(3, 0, 3));
    READS("open: 62.5 % of 40 calls failed (threshold 50 %)", OPENS(CAUSE_FAILURE_RATE), NUMBERS(25, 40, 50));
    READS("open: 50 % of 40 calls were slow (threshold 50 %)", OPENS(CAUSE_SLOW_RATE), NUMBERS(20, 40, 50));
    READS("open: a probe failed", REOPENS(CAUSE_PROBE_FAILED), NUMBERS(0, 0, 1));
    READS("open: a probe was abandoned", REOPENS(CAUSE_ABANDONED));
    READS("open: a probe was overdue", REOPENS(CAUSE_OVERDUE));
    READS("open: a probe was slow", REOPENS(CAUSE_SLOW_RATE));
    READS("open: 70 % of 10 probes succeeded (threshold 80 %)", REOPENS(CAUSE_PROBE_FAILED), NUMBERS(7, 10, 80));
    READS("open: no probe came back in time", REOPENS(CAUSE_LEASE_LOST));
    READS("half-open: the open time is over", .from = STATE_OPEN, .to = STATE_HALF_OPEN,
          .cause = CAUSE_TIMEOUT_ELAPSED);
    READS("closed: 1 probe passed", .from = STATE_HALF_OPEN, .cause = CAUSE_PROBES_PASSED, NUMBERS(1, 0, 1));
    READS("closed: 2 probes passed", .from = STATE_HALF_OPEN, .cause = CAUSE_PROBES_PASSED, NUMBERS(2, 0, 2));
    READS("closed: 90 % of 10 probes succeeded (threshold 80 %)", .from = STATE_HALF_OPEN, .cause = CAUSE_PROBES_PASSED,
          NUMBERS(9, 10, 80));
    READS("closed: the override's time is over", .from = STATE_FORCED_OPEN, .cause = CAUSE_OVERRIDE_ENDED);
    READS("open: its worker died before it wrote down why", OPENS(CAUSE_LOST), .value = 1);
    READS("changed: 99 transitions that nobody wrote down", .to = STATE_UNKNOWN, .cause = CAUSE_LOST, .value = 99);
    READS("closed: written over, or changed too often to be followed", .from = STATE_OPEN, .cause = CAUSE_LOST);
    READS("1 event was overwritten before it was read", .cause = CAUSE_MISSED, .value = 1);
    READS("17 events were overwritten before they were read", .cause = CAUSE_MISSED, .value = 17);
    READS("forced-open: imposed by an operator for 500ms", .to = STATE_FORCED_OPEN, .cause = CAUSE_OVERRIDE,
          .time_ms = 1000, .until_ms = 1500);
    READS("disabled: imposed by an operator for 90s", .to = STATE_DISABLED, .cause = CAUSE_OVERRIDE, .time_ms = 1000,
          .until_ms = 91000);
    READS("disabled: imposed by an operator for 2h", .to = STATE_DISABLED, .cause = CAUSE_OVERRIDE, .time_ms = 1000,
          .until_ms = 7201000);
    READS("?: ?", .to = 77, .cause = 99);
}
