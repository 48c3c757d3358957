/* From the journal's raw notes to events: each transition once, in order, with what is missing filled in. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/gate.h"
#include "core/gather.h"
#include "core/journal.h"
#include "core/panel.h"
#include "random_word.h"

#define FIRST 1 /* the epoch in which a slot's first breaker is created */

static struct segment segment;
static struct gather gather;
static uint64_t now_ms;
static uint32_t slot;
static char error[SEGMENT_ERROR_SIZE];
static const struct policy policy = {.failure_threshold = 5, .open_timeout_ms = 1000, .max_open_timeout_ms = 1000};

/* What the events say of a slot. */
static void noted(uint32_t of, uint16_t incarnation, uint16_t epoch)
{
    struct event event = {.slot = of, .incarnation = incarnation, .epoch = epoch, .cause = CAUSE_CREATED};
    cr_assert_eq(events_append(&segment, &event), 0);
}

static void begin(void)
{
    struct geometry geometry = {4, 1, 2, 2, 4, 64, 16};
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    now_ms = 1000000;
    segment.virtual_ms = &now_ms;
    cr_assert_eq(panel_create(&segment, "b", &policy, 0, &slot, error), PANEL_CREATED);
    noted(slot, 1, FIRST);
    cr_assert(gather_init(&gather, &segment, false, GATHER_PATIENCE_MS));
}

static void end(void)
{
    gather_finish(&gather);
    segment_close(&segment);
}

TestSuite(gather, .init = begin, .fini = end);

/* ---- what workers do ---- */

static void gate_goes_to(uint16_t epoch)
{
    enum breaker_state state = (epoch - FIRST) % 2 ? STATE_OPEN : STATE_CLOSED;
    atomic_store(&segment_slot(&segment, slot)->gate, gate_closed(epoch) | (uint64_t)state << 61);
}

static struct journal_entry note_of(uint16_t epoch)
{
    bool opens = (uint16_t)(epoch - FIRST) % 2;
    return (struct journal_entry){.time_ms = now_ms,
                                  .slot = slot,
                                  .pid = 77,
                                  .epoch = epoch,
                                  .from = opens ? STATE_CLOSED : STATE_OPEN,
                                  .to = opens ? STATE_OPEN : STATE_CLOSED,
                                  .cause = CAUSE_STREAK,
                                  .value = 5,
                                  .threshold = 5};
}

static void note(uint16_t epoch)
{
    struct journal_entry entry = note_of(epoch);
    journal_append(&segment, &entry);
}

/* A transition and its note. */
static void transit(uint16_t epoch)
{
    gate_goes_to(epoch);
    note(epoch);
}

/* ---- what comes out ---- */

static struct event expect_event(uint16_t epoch, bool filled)
{
    struct event event;
    cr_assert(gather_next(&gather, now_ms, &event), "nothing came for epoch %u", epoch);
    cr_assert_eq(event.epoch, epoch, "epoch %u instead of %u", event.epoch, epoch);
    cr_assert_eq(event.filled, filled, "epoch %u: filled %u", epoch, event.filled);
    cr_assert_str_eq(event.name, "b");
    cr_assert_eq(event.cause, filled ? CAUSE_LOST : CAUSE_STREAK);
    return event;
}

static void expect_nothing(void)
{
    struct event event;
    cr_assert(!gather_next(&gather, now_ms, &event), "epoch %u came", event.epoch);
}

/* What is waited for is given up next time. */
static void patience_ends(void)
{
    expect_nothing();
    now_ms += GATHER_PATIENCE_MS;
}

Test(gather, notes_come_once_in_order)
{
    for (uint16_t epoch = FIRST + 1; epoch < FIRST + 5; epoch++)
        transit(epoch);
    for (uint16_t epoch = FIRST + 1; epoch < FIRST + 5; epoch++)
        cr_assert_eq(expect_event(epoch, false).pid, 77);
    expect_nothing();
    note(FIRST + 2); /* again */
    expect_nothing();
}

Test(gather, notes_out_of_order_come_in_order)
{
    gate_goes_to(FIRST + 4);
    note(FIRST + 3);
    note(FIRST + 1);
    note(FIRST + 4);
    note(FIRST + 2);
    for (uint16_t epoch = FIRST + 1; epoch <= FIRST + 4; epoch++)
        expect_event(epoch, false);
    expect_nothing();
}

Test(gather, a_missing_first_is_filled_in_after_some_patience)
{
    transit(FIRST + 2);
    patience_ends();
    struct event filled = expect_event(FIRST + 1, true);
    cr_assert_eq(filled.from, STATE_CLOSED);
    cr_assert_eq(filled.to, STATE_OPEN, "by the next one's note");
    cr_assert_eq(filled.pid, 0);
    expect_event(FIRST + 2, false);
    expect_nothing();
}

Test(gather, one_missing_in_the_middle)
{
    transit(FIRST + 1);
    transit(FIRST + 3);
    expect_event(FIRST + 1, false);
    patience_ends();
    struct event filled = expect_event(FIRST + 2, true);
    cr_assert(filled.from == STATE_OPEN && filled.to == STATE_CLOSED);
    expect_event(FIRST + 3, false);
    expect_nothing();
}

Test(gather, several_missing_in_a_row)
{
    transit(FIRST + 4);
    patience_ends();
    cr_assert_eq(expect_event(FIRST + 1, true).to, STATE_UNKNOWN);
    cr_assert_eq(expect_event(FIRST + 2, true).to, STATE_UNKNOWN);
    struct event last = expect_event(FIRST + 3, true);
    cr_assert_eq(last.from, STATE_UNKNOWN);
    cr_assert_eq(last.to, STATE_OPEN);
    expect_event(FIRST + 4, false);
    expect_nothing();
}

Test(gather, a_missing_last_shows_by_the_gate)
{
    transit(FIRST + 1);
    gate_goes_to(FIRST + 2);
    expect_event(FIRST + 1, false);
    expect_nothing();
    now_ms += 500;
    expect_nothing();
    now_ms += 500;
    struct event filled = expect_event(FIRST + 2, true);
    cr_assert(filled.from == STATE_OPEN && filled.to == STATE_CLOSED, "by the gate");
    expect_nothing();
}

Test(gather, very_many_missing_become_one)
{
    transit(FIRST + 100);
    patience_ends();
    struct event filled = expect_event(FIRST + 99, true);
    cr_assert_eq(filled.value, 99);
    cr_assert_eq(filled.to, STATE_OPEN);
    expect_event(FIRST + 100, false);
    expect_nothing();
}

Test(gather, what_comes_late_comes_no_more)
{
    transit(FIRST + 2);
    patience_ends();
    expect_event(FIRST + 1, true);
    expect_event(FIRST + 2, false);
    note(FIRST + 1);
    expect_nothing();
    transit(FIRST + 3);
    expect_event(FIRST + 3, false);
}

Test(gather, a_note_begun_and_never_ended_holds_nobody_up)
{
    gate_goes_to(FIRST + 1);
    atomic_fetch_add(&segment.live->journal_head, 1); /* took its number and died */
    transit(FIRST + 2);
    patience_ends();
    expect_event(FIRST + 1, true);
    expect_event(FIRST + 2, false);
    now_ms += GATHER_PATIENCE_MS;
    expect_nothing();
    cr_assert_eq(gather.tail, gather.head, "nothing is waited for any more");
}

Test(gather, epochs_go_on_from_the_beginning)
{
    noted(slot, 1, 65533);
    gather_finish(&gather);
    cr_assert(gather_init(&gather, &segment, false, GATHER_PATIENCE_MS));
    gate_goes_to(2);
    note(65534);
    note(65535);
    note(1);
    note(2);
    expect_event(65534, false);
    expect_event(65535, false);
    patience_ends();
    expect_event(0, true);
    expect_event(1, false);
    expect_event(2, false);
    expect_nothing();
}

Test(gather, a_slot_that_got_another_breaker_goes_on_with_its_own)
{
    transit(FIRST + 1);
    cr_assert_eq(panel_remove(&segment, slot), 0);
    expect_nothing(); /* nobody is there to whom it happened; the events have it from before */
    cr_assert_eq(panel_create(&segment, "b", &policy, 0, &slot, error), PANEL_CREATED);
    struct event created = {.slot = slot, .incarnation = 2, .epoch = FIRST + 2, .cause = CAUSE_CREATED};
    gather_note(&gather, &created);
    note(FIRST + 1); /* of one who was late */
    transit(FIRST + 3);
    struct event event = expect_event(FIRST + 3, false);
    cr_assert_eq(event.incarnation, 2);
    expect_nothing();
}

Test(gather, what_a_removed_breaker_left_undone_is_nobodys)
{
    transit(FIRST + 3); /* the two before it are missing */
    expect_nothing();
    cr_assert_eq(panel_remove(&segment, slot), 0);
    now_ms += 2000;
    expect_nothing();
    expect_nothing();
    cr_assert_eq(gather.tail, gather.head, "it is looked at no more");
}

Test(gather, more_notes_than_the_journal_holds)
{
    uint16_t last = FIRST + 200;
    for (uint16_t epoch = FIRST + 1; epoch <= last; epoch++)
        transit(epoch);
    patience_ends();
    cr_assert_eq(expect_event(last - 64, true).value, 200 - 64);
    for (uint16_t epoch = last - 63; epoch <= last && epoch >= last - 63; epoch++)
        expect_event(epoch, false);
    expect_nothing();
}

Test(gather, nobody_is_believed_to_be_an_operator)
{
    struct journal_entry entry = note_of(FIRST + 1);
    entry.cause = CAUSE_OPERATOR_TRIP;
    entry.uid = 0;
    gate_goes_to(FIRST + 1);
    journal_append(&segment, &entry);
    struct event event = expect_event(FIRST + 1, true);
    cr_assert(event.uid == EVENT_NOBODY && event.pid == 0 && event.value == 1);
}

Test(gather, forged_notes_say_nothing)
{
    struct journal_entry entry = note_of(FIRST + 20000); /* the gate is not there */
    journal_append(&segment, &entry);
    for (uint64_t i = 0; i < 2; i++) { /* of no breaker, of no slot */
        note(FIRST + 1);
        atomic_store(&segment.journal[1 + i].what, (i ? UINT64_C(3) : UINT64_C(65535)) << 48 | UINT64_C(2) << 32);
    }
    entry = note_of(FIRST + 1);
    entry.from = 200, entry.to = 201, entry.time_ms = UINT64_MAX;
    gate_goes_to(FIRST + 1);
    journal_append(&segment, &entry);
    struct event event = expect_event(FIRST + 1, false);
    cr_assert(event.from == STATE_UNKNOWN && event.to == STATE_UNKNOWN && event.time_ms == now_ms);
    now_ms += 2000;
    expect_nothing();
}

Test(gather, a_gate_that_was_set_back_is_followed)
{
    transit(FIRST + 1);
    transit(FIRST + 2);
    expect_event(FIRST + 1, false);
    expect_event(FIRST + 2, false);
    expect_nothing();
    gate_goes_to(FIRST - 500);
    now_ms += 1000;
    expect_nothing();
    now_ms += 1000;
    expect_event((uint16_t)(FIRST - 500), true);
    transit((uint16_t)(FIRST - 499));
    expect_event((uint16_t)(FIRST - 499), false);
    now_ms += 1000;
    expect_nothing();
}

/* A reader hears of it from whoever writes events, and goes on from there. */
Test(gather, that_a_gate_was_set_back_is_news)
{
    struct event event = {.slot = slot, .incarnation = 1, .epoch = FIRST, .cause = CAUSE_LOST, .value = 1};
    transit(FIRST + 1);
    expect_event(FIRST + 1, false);
    cr_assert(gather_knows(&gather, &event));
    event.value = 0;
    cr_assert(!gather_knows(&gather, &event));
    gather_note(&gather, &event);
    cr_assert(gather_knows(&gather, &event), "once");
    event = (struct event){.slot = slot, .incarnation = 1, .epoch = FIRST + 1, .cause = CAUSE_STREAK};
    cr_assert(!gather_knows(&gather, &event));
}

Test(gather, without_patience_all_is_said_now)
{
    gather_finish(&gather);
    cr_assert(gather_init(&gather, &segment, false, 0));
    transit(FIRST + 2);
    gate_goes_to(FIRST + 3);
    expect_event(FIRST + 1, true);
    expect_event(FIRST + 2, false);
    expect_event(FIRST + 3, true);
    expect_nothing();
}

/* Whatever anybody scribbles over the live memory, it ends and says what is whole. */
Test(gather, noise)
{
    for (int round = 0; round < 300; round++) {
        struct event event;
        unsigned came = 0;
        for (size_t i = 0; i < 64 * sizeof(struct record); i++)
            ((char *)segment.journal)[i] = (char)random_word();
        if (round % 3 == 0)
            atomic_store(&segment.live->journal_head, random_word() >> 33 << (round % 40));
        for (uint64_t i = journal_first(&segment); round % 2 && i < journal_next(&segment); i++)
            atomic_store(&segment.journal[i & 63].sequence, i + 1); /* so that they are read */
        atomic_store(&segment_slot(&segment, slot)->gate, random_word());
        now_ms += 400;
        while (gather_next(&gather, now_ms, &event)) {
            cr_assert_str_eq(event.name, "b");
            cr_assert(event.from <= STATE_METRICS_ONLY || event.from == STATE_UNKNOWN);
            cr_assert_lt(++came, 200, "it does not end");
        }
    }
}
