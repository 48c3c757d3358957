/*
 * A worker that is stopped, or killed, after any instruction of a call: nobody waits for it, the breaker is never
 * stuck, nothing of it is left, and counts are off by at most its call.
 *
 * After every single instruction the test, which is another process, calls and trips the breaker while the worker
 * stands there; and reaps the worker with the memory as SIGKILL would leave it there. Then, at chosen moments (see
 * moments_survey), workers are really killed; and really stopped, overtaken and let go on.
 */
#include <criterion/criterion.h>
#include <unistd.h>

#include "core/journal.h"
#include "core/panel.h"
#include "core/plain.h"
#include "tests/process/play.h"
#include "tests/process/scene.h"

#define LATE_MS 10000u

static struct lane *own;
static struct held mine;

static void begin(void)
{
    scene_begin(2);
}

TestSuite(kill_each_step, .init = begin, .fini = scene_end);

#define ACT(name, ...)                                                                                                 \
    Test(kill_each_step, name)                                                                                         \
    {                                                                                                                  \
        play_perform(&(struct play){__VA_ARGS__});                                                                     \
    }

static void peer_fails_once(void)
{
    peer_calls(OUTCOME_FAILURE);
}

static void peer_fails_twice(void)
{
    peer_calls(OUTCOME_FAILURE);
    peer_calls(OUTCOME_FAILURE);
}

static void peer_fills_window(void)
{
    peer_calls(OUTCOME_SUCCESS);
    peer_calls(OUTCOME_SUCCESS);
    peer_calls(OUTCOME_FAILURE);
}

static void peer_fills_bulkhead(void)
{
    for (peer.kept_count = 0; peer.kept_count < 2; peer.kept_count++)
        cr_assert_eq(peer_asks(&peer.kept[peer.kept_count]), ANSWER_ADMITTED);
}

static void breaker_opens(void)
{
    peer_trips();
}

static void breaker_is_due(void)
{
    peer_trips();
    *scene.now_ms += call_retry_after_ms(&scene.segment, PEER_SLOT);
}

static void peer_probes(void)
{
    struct held never_settled;
    breaker_is_due();
    cr_assert_eq(peer_asks(&never_settled), ANSWER_ADMITTED);
}

static void peer_loses_probe(void)
{
    peer_probes();
    *scene.now_ms += LATE_MS;
}

static void override_is_due(void)
{
    call_operate(&scene.segment, PEER_SLOT,
                 (struct gate_input){.event = GATE_OVERRIDE, .to = STATE_DISABLED, .until_ms = *scene.now_ms + 1000},
                 (struct actor){0});
    *scene.now_ms += 1000;
}

static void starts(void)
{
    lane_create(&own);
}

static void has_called(void)
{
    starts();
    if (lane_asks(own, PLAY_WARM, &mine) == ANSWER_ADMITTED)
        call_settle(&scene.segment, own, &mine, OUTCOME_SUCCESS, TOOK_MEASURED);
}

static void is_in_call(void)
{
    has_called();
    if (lane_asks(own, PEER_SLOT, &mine) != ANSWER_ADMITTED)
        _exit(1);
}

static void is_overdue(void)
{
    is_in_call();
    *scene.now_ms += LATE_MS;
    call_tick(&scene.segment);
}

static void acquires(void)
{
    lane_asks(own, PEER_SLOT, &mine);
}

static void succeeds(void)
{
    call_settle(&scene.segment, own, &mine, OUTCOME_SUCCESS, TOOK_MEASURED);
}

static void fails(void)
{
    call_settle(&scene.segment, own, &mine, OUTCOME_FAILURE, TOOK_MEASURED);
}

static void ignores(void)
{
    call_settle(&scene.segment, own, &mine, OUTCOME_IGNORED, TOOK_MEASURED);
}

static void nothing(void)
{
}

static void worker_dies(void)
{
    struct stepper worker;
    stepper_start(&worker, is_in_call, nothing);
    stepper_kill(&worker);
    play_dead = worker.pid;
}

static void probing_worker_dies(void)
{
    breaker_is_due();
    worker_dies();
}

static void call_grows_old(void)
{
    worker_dies();
    *scene.now_ms += LATE_MS;
}

static void reaps(void)
{
    play_reap(play_dead);
}

static void ticks(void)
{
    call_tick(&scene.segment);
}

/* As the library does what nearly every call is. */
static void acquires_plainly(void)
{
    struct plain_target target = plain_target(&scene.segment, PEER_SLOT);
    uint64_t commit = panel_commit(&scene.segment, PEER_SLOT);
    uint64_t started = commit & TRAITS_TIMED ? clock_started(commit, plain_tick(&target)) : 0;
    if (!plain_acquire(&target, own, commit, started, &mine))
        _exit(1);
}

static void succeeds_plainly(void)
{
    struct plain_target target = plain_target(&scene.segment, PEER_SLOT);
    if (plain_success(&target, own, &mine) || plain_success_measured(&target, own, &mine))
        return;
    if (gate_epoch(peer_gate()) == (uint16_t)(mine.call >> 16))
        _exit(1); /* nobody has overtaken it: then it is plain */
    succeeds();
}

static void is_in_plain_call(void)
{
    has_called();
    acquires_plainly();
}

static void trips_by_hand(void)
{
    call_operate(&scene.segment, PEER_SLOT, (struct gate_input){.event = GATE_OPERATOR_TRIP}, (struct actor){0});
}

/* The note alone, as it is written after each transition. */
static void notes(void)
{
    struct journal_entry note = {
        .time_ms = *scene.now_ms,
        .value = 1,
        .of = 2,
        .threshold = 3,
        .until_ms = 4,
        .slot = PEER_SLOT,
        .pid = (uint32_t)getpid(),
        .epoch = gate_epoch(peer_gate()),
        .cause = CAUSE_OPERATOR_RESET,
    };
    journal_append(&scene.segment, &note);
}

#define PLAIN         "failure_threshold=3 open_timeout=1s half_open_timeout=2s"
#define OF_TWO        PLAIN " success_threshold=2"
#define TWO_AT_A_TIME PLAIN " half_open_max_calls=2"
#define RATE          " failure_rate_threshold=50 minimum_calls=4 failure_threshold=0 open_timeout=1s"
#define BULKHEAD      PLAIN " max_concurrent=2"
#define TIMED         PLAIN " call_timeout=5s"
#define CLOSED        PLAY_IN(STATE_CLOSED)
#define OPEN          PLAY_IN(STATE_OPEN)
#define HALF_OPEN     PLAY_IN(STATE_HALF_OPEN)

ACT(acquire, PLAIN, NULL, has_called, acquires, CLOSED, 1)
ACT(plain_acquire, PLAIN, NULL, has_called, acquires_plainly, CLOSED, 1)
ACT(plain_success, PLAIN, NULL, is_in_plain_call, succeeds_plainly, CLOSED, 2)
ACT(plain_success_in_window, PLAIN " window=count:4", NULL, is_in_plain_call, succeeds_plainly, CLOSED, 2)
ACT(plain_success_timed, PLAIN " timing=precise", NULL, is_in_plain_call, succeeds_plainly, CLOSED, 2)
ACT(first_acquire_of_a_process, PLAIN, NULL, starts, acquires, CLOSED, 1)
ACT(success, PLAIN, peer_fails_once, is_in_call, succeeds, CLOSED, 2)
ACT(failure, PLAIN, NULL, is_in_call, fails, CLOSED, 2)
ACT(failure_timed, PLAIN " timing=precise", NULL, is_in_call, fails, CLOSED, 2)
ACT(ignore, PLAIN, NULL, is_in_call, ignores, CLOSED, 2)
ACT(trip, PLAIN, peer_fails_twice, is_in_call, fails, OPEN, 2)
ACT(trip_by_hand, PLAIN, NULL, NULL, trips_by_hand, CLOSED | OPEN, 0)
ACT(journal_update, PLAIN, NULL, has_called, notes, CLOSED, 0)
ACT(rejection, PLAIN, breaker_opens, has_called, acquires, OPEN, 0)
ACT(half_open_entry, PLAIN, breaker_is_due, has_called, acquires, OPEN, 1)
ACT(second_probe, TWO_AT_A_TIME, peer_probes, has_called, acquires, OPEN | HALF_OPEN, 1)
ACT(probe_that_closes, PLAIN, breaker_is_due, is_in_call, succeeds, OPEN | CLOSED, 2)
ACT(probe_of_two, OF_TWO, breaker_is_due, is_in_call, succeeds, OPEN | HALF_OPEN, 2)
ACT(probe_that_fails, PLAIN, breaker_is_due, is_in_call, fails, OPEN, 2)
ACT(probe_that_is_ignored, PLAIN, breaker_is_due, is_in_call, ignores, OPEN | HALF_OPEN, 2)
ACT(lost_lease, PLAIN, peer_loses_probe, has_called, acquires, OPEN | HALF_OPEN, 0)
ACT(count_window, "window=count:4" RATE, peer_fills_window, is_in_call, fails, CLOSED | OPEN, 2)
ACT(time_window, "window=time:1m" RATE, peer_fills_window, is_in_call, fails, CLOSED | OPEN, 2)
ACT(bulkhead_entry, BULKHEAD, NULL, has_called, acquires, CLOSED, 1)
ACT(bulkhead_exit, BULKHEAD, NULL, is_in_call, succeeds, CLOSED, 2)
ACT(bulkhead_that_is_full, BULKHEAD, peer_fills_bulkhead, has_called, acquires, CLOSED, 0)
ACT(bulkhead_probe, BULKHEAD, breaker_is_due, has_called, acquires, OPEN, 1)
ACT(timed_entry, TIMED, NULL, has_called, acquires, CLOSED, 1)
ACT(timed_exit, TIMED, NULL, is_in_call, fails, CLOSED, 2)
ACT(overdue_exit, TIMED, NULL, is_overdue, succeeds, CLOSED, 0)
ACT(end_of_an_override, PLAIN, override_is_due, has_called, acquires, CLOSED | PLAY_IN(STATE_DISABLED), 1)

/* The daemon itself, killed over the dead: its successor goes on. */
ACT(reaping_a_call, BULKHEAD, worker_dies, nothing, reaps, CLOSED, 1)
ACT(reaping_a_probe, BULKHEAD, probing_worker_dies, nothing, reaps, OPEN, 1)
ACT(settling_an_overdue_call, TIMED, call_grows_old, nothing, ticks, CLOSED, 1)
