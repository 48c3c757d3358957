/* Damage to `live`, one kind at a time: found, repaired to the right thing, and nothing else called damage. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "core/check.h"
#include "core/events.h"
#include "core/transition.h"

#include "breaker_fixture.h" /* behind core's headers, whose parameters have its names */

static uint64_t open_until;
static uint32_t owners[64];
static uint64_t living[8];
static const struct lane_memory memory = {owners, living};

static void begin(void)
{
    breaker_begin(0, "open_timeout=1s max_concurrent=4 call_timeout=5s");
    open_until = 0;
    memset(owners, 0, sizeof owners);
    memset(living, 0, sizeof living);
}

TestSuite(check, .init = begin, .fini = breaker_end);

static uint32_t check_chunk(uint32_t chunk, bool wiped)
{
    return check_owner(&segment, chunk, memory, wiped) + check_calls(&segment, chunk, memory);
}

static au64 *gate(void)
{
    return &segment_slot(&segment, slot)->gate;
}

static unsigned check(void)
{
    struct gate_damage damage;
    unsigned mask = check_slot(&segment, slot, &open_until, &damage);
    if (mask & DAMAGE_STATE)
        cr_assert(check_gate_repair(&segment, slot, damage));
    return mask;
}

static unsigned damage_of(uint64_t word)
{
    atomic_store(gate(), word);
    return check();
}

static struct held call_begin(void)
{
    struct held held = {0};
    cr_assert_eq(call_acquire(&segment, lane, slot, panel_commit(&segment, slot), &held), ANSWER_ADMITTED);
    return held;
}

static void impose(enum breaker_state state, uint64_t until)
{
    panel_set_override(&segment, slot, &(struct override){.state = state, .until_ms = until});
    call_operate(&segment, slot, (struct gate_input){.event = GATE_OVERRIDE, .to = state, .until_ms = until},
                 (struct actor){0});
}

/* ---- the state ---- */

Test(check, a_state_that_cannot_be_is_closed_again)
{
    const uint64_t words[] = {
        UINT64_C(6) << 61,                                                      /* no state */
        UINT64_MAX,                                                             /* nor this */
        gate_closed(7) | 1,                                                     /* closed has no payload */
        gate_closed(7) | UINT64_C(3) << 40,                                     /* nor attempts */
        (uint64_t)STATE_OPEN << 61 | (clock_ms + 3600000),                      /* an hour, with open_timeout=1s */
        (uint64_t)STATE_FORCED_OPEN << 61,                                      /* nobody imposed that */
        (uint64_t)STATE_DISABLED << 61 | UINT64_C(9) << 45 | (clock_ms + 1000), /* nor that */
    };
    check();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        cr_expect_eq(damage_of(words[i]), DAMAGE_STATE, "%zu", i);
        cr_expect_eq(*gate(), gate_closed((uint16_t)(gate_epoch(words[i]) + 1)), "%zu: %lx", i, (unsigned long)*gate());
    }
}

/* Zero, for one, is a closed gate. */
Test(check, no_state_is_older_than_its_events)
{
    struct event event = {.slot = slot, .incarnation = 1, .epoch = 300, .to = STATE_OPEN, .cause = CAUSE_STREAK};
    cr_assert_eq(events_append(&segment, &event), 0);
    cr_expect_eq(damage_of(gate_closed(300)), 0);
    cr_expect_eq(damage_of(gate_closed(333)), 0, "what nobody wrote down yet");
    cr_expect_eq(damage_of(gate_closed(299)), DAMAGE_STATE);
    cr_expect_eq(damage_of(0), DAMAGE_STATE);
    cr_expect_eq(*gate(), gate_closed(301), "behind the newest event");
}

Test(check, what_an_operator_imposed_is_restored)
{
    impose(STATE_FORCED_OPEN, clock_ms + 60000);
    uint64_t imposed = *gate();
    cr_expect_eq(check(), 0);
    cr_expect_eq(damage_of(gate_closed(9)), DAMAGE_STATE);
    cr_expect_eq(*gate() & GATE_PAYLOAD_MASK, imposed & GATE_PAYLOAD_MASK);
    cr_expect_eq(damage_of(imposed + 5), DAMAGE_STATE, "another end than the operator's");
    cr_expect_eq(call_state(&segment, slot), STATE_FORCED_OPEN);
    clock_ms += 60000;
    cr_expect_eq(check(), 0, "it has ended and nobody has come since");
    call_lapse(&segment);
    cr_expect_eq(check(), 0);
    cr_expect_eq(call_state(&segment, slot), STATE_CLOSED);
}

Test(check, a_deadline_from_before_the_policy_changed_is_right)
{
    struct policy policy;
    char error[SEGMENT_ERROR_SIZE];
    policy_parse("open_timeout=24h max_open_timeout=24h", &policy, error);
    panel_set_policy(&segment, slot, &policy, error);
    check();
    call_operate(&segment, slot, (struct gate_input){.event = GATE_OPERATOR_TRIP}, (struct actor){0});
    policy_parse("open_timeout=1s", &policy, error);
    panel_set_policy(&segment, slot, &policy, error);
    cr_expect_eq(check(), 0);
    open_until = 0; /* a daemon that has just started does not know the policies before */
    cr_expect_eq(check(), 0);
    cr_expect_eq(call_state(&segment, slot), STATE_OPEN);
}

Test(check, the_count_of_transitions_goes_on)
{
    impose(STATE_DISABLED, 0);
    uint64_t before = transition_count(segment_slot(&segment, slot));
    cr_expect_eq(damage_of((uint64_t)STATE_OPEN << 61 | UINT64_C(0x7777) << 45), DAMAGE_STATE);
    cr_expect_eq(transition_count(segment_slot(&segment, slot)), before + 1);
    atomic_store(&segment_slot(&segment, slot)->transitions, UINT64_MAX);
    cr_expect_eq(check(), DAMAGE_STREAK);
    cr_expect_lt(transition_count(segment_slot(&segment, slot)), 65536);
}

Test(check, a_streak_beyond_all_failures_is_none)
{
    atomic_store(&segment_slot(&segment, slot)->streak, UINT64_MAX >> 1);
    cr_expect_eq(check(), DAMAGE_STREAK);
    cr_expect_eq(segment_slot(&segment, slot)->streak & STREAK_MASK, 0);
    atomic_store(&segment_slot(&segment, slot)->streak, 3);
    cr_expect_eq(check(), 0);
}

Test(check, a_free_slot_is_nobodys_business)
{
    slot = 5;
    cr_expect_eq(damage_of(UINT64_MAX), 0);
    cr_expect_eq(check_counts(&segment, slot), 0);
}

/* ---- counters and places ---- */

Test(check, counters_beyond_counting_begin_again)
{
    struct stripe *stripe = segment_stripe(&segment, slot, 0);
    struct tally tally;
    au64 *words[] = {&stripe->successes,
                     &stripe->other_successes,
                     &stripe->failures,
                     &stripe->slow,
                     &stripe->rejected_concurrency,
                     &stripe->window_slow,
                     &stripe->latency[0],
                     &stripe->latency[LATENCY_BUCKETS - 1],
                     &stripe->timed_otherwise,
                     &segment_slot(&segment, slot)->abandoned,
                     &segment_slot(&segment, slot)->overdue};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        atomic_store(words[i], UINT64_C(0xfedcba9876543210) >> (i & 7));
        cr_expect_eq(check_counts(&segment, slot), DAMAGE_COUNTS, "%zu", i);
        cr_expect_eq(*words[i], 0, "%zu", i);
        cr_expect_eq(check_counts(&segment, slot), 0, "%zu", i);
    }
    atomic_store(&stripe->timed_otherwise, UINT64_C(1) << 40); /* more than were timed */
    cr_expect_eq(check_counts(&segment, slot), DAMAGE_COUNTS);
    tally_slot(&segment, slot, &tally);
    cr_expect_eq(tally.successes, 0);
}

Test(check, a_place_is_held_by_a_call_in_flight_or_free)
{
    struct held held = call_begin();
    cr_expect_eq(check_counts(&segment, slot), 0);
    for (int i = 0; i < 4; i++)
        if (segment.places[i] == 0)
            segment.places[i] = i == 0 ? UINT64_MAX : (UINT64_C(77) << 32) + held.entry;
    cr_expect_eq(check_counts(&segment, slot), DAMAGE_PLACES);
    struct held others[3];
    for (int i = 0; i < 3; i++)
        others[i] = call_begin(); /* all but the one that is held are free again */
    struct held more;
    cr_expect_eq(call_acquire(&segment, lane, slot, panel_commit(&segment, slot), &more), ANSWER_REJECTED_CONCURRENCY);
    for (int i = 0; i < 3; i++)
        call_settle(&segment, lane, &others[i], OUTCOME_SUCCESS, TOOK_MEASURED);
    cr_expect_eq(call_settle(&segment, lane, &held, OUTCOME_SUCCESS, TOOK_MEASURED), CALL_SETTLED);
}

/* ---- lanes ---- */

static uint32_t chunk_of(const struct held *held)
{
    return (held->entry - 1) / CHUNK_CALLS;
}

Test(check, a_chunk_goes_back_to_its_worker)
{
    struct held held = call_begin();
    uint32_t chunk = chunk_of(&held), mine = segment.owners[chunk];
    living[mine - 1] = process_identity();
    cr_expect_eq(check_chunk(chunk, false), 0);
    const uint32_t wrong[] = {UINT32_MAX, 9, mine % 8 + 1}; /* no number; one too high; nobody's */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        atomic_store(&segment.owners[chunk], wrong[i]);
        cr_expect_eq(check_chunk(chunk, false), 1, "%zu", i);
        cr_expect_eq(segment.owners[chunk], mine);
    }
    atomic_store(&segment.owners[chunk], 0);
    for (int i = 0; i < CHECK_PATIENCE; i++)
        cr_expect_eq(check_chunk(chunk, false), 0, "its worker may be leaving");
    cr_expect_eq(check_chunk(chunk, false), 1, "it has not left");
    atomic_store(&segment.owners[chunk], 0);
    cr_expect_eq(check_chunk(chunk, true), 1, "zeroes all over are no leave");
    cr_expect_eq(segment.owners[chunk], mine);
    cr_expect_eq(call_settle(&segment, lane, &held, OUTCOME_SUCCESS, TOOK_MEASURED), CALL_SETTLED, "undisturbed");
}

Test(check, a_worker_that_leaves_is_no_damage)
{
    struct held held = call_begin();
    uint32_t chunk = chunk_of(&held);
    living[segment.owners[chunk] - 1] = process_identity();
    check_chunk(chunk, false);
    lane_destroy(&segment, lane); /* of which the reaper does not know yet */
    cr_expect_eq(check_chunk(chunk, false), 0);
    memset(living, 0, sizeof living);
    cr_expect_eq(check_chunk(chunk, false), 0);
    cr_expect_eq(segment.owners[chunk], 0);
    cr_assert_eq(lane_create(&lane), 0);
}

Test(check, calls_that_cannot_be_are_free_entries)
{
    struct held held = call_begin();
    uint32_t chunk = chunk_of(&held), nobodys = (chunk + 1) % segment.chunk_count;
    struct call *calls = segment.chunks[chunk].calls;
    const uint64_t sequence = UINT64_C(5) << CALL_SEQUENCE_SHIFT;
    check_chunk(chunk, false);
    atomic_store(&calls[3].call, CALL_BUSY | sequence | 16);                       /* slot 16 of 0..15 */
    atomic_store(&calls[4].call, CALL_BUSY | sequence | UINT64_C(1) << 57 | slot); /* a bit that means nothing */
    atomic_store(&calls[5].call, CALL_PROBE | sequence);                           /* free and yet not */
    cr_expect_eq(check_chunk(chunk, false), 3);
    for (int i = 3; i < 6; i++)
        cr_expect_eq(calls[i].call, sequence);
    atomic_store(&segment.chunks[nobodys].calls[0].call, CALL_BUSY | slot);
    cr_expect_eq(check_chunk(nobodys, false), 1);
    cr_expect_eq(tally_in_flight_of(&segment, slot), 1);
    atomic_store(&held.in_lane->started_ms, clock_ms + 3600000); /* would be overdue in an hour */
    cr_expect_eq(check_chunk(chunk, false), 1);
    clock_ms += 5000;
    cr_expect_eq(call_tick(&segment), 1);
}

Test(check, records_of_workers)
{
    uint64_t self = process_identity(), ticks = self >> WORKER_PID_BITS;
    cr_expect(check_record(self, ticks));
    cr_expect(check_record((uint64_t)getpid(), ticks), "without /proc there is no start time");
    cr_expect_not(check_record(self, ticks - 1), "begins after now");
    cr_expect_not(check_record(ticks << WORKER_PID_BITS, ticks), "pid 0");
}

Test(check, the_header)
{
    cr_expect_not(check_header(&segment));
    segment.live->identity++;
    cr_expect(check_header(&segment));
    segment.live->magic = 0;
    cr_expect(check_header(&segment));
    cr_expect_not(check_header(&segment));
}
