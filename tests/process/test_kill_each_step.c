/*
 * A worker that is stopped, or killed, after any instruction of a call: nobody waits for it, the breaker is never
 * stuck, nothing of it is left, and counts are off by at most its call.
 *
 * After every single instruction the test, which is another process, calls and trips the breaker while the worker
 * stands there; and reaps the worker with the memory as SIGKILL would leave it there. Then, at chosen moments (see
 * steps_survey), workers are really killed; and really stopped, overtaken and let go on.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/call.h"
#include "core/panel.h"
#include "core/plain.h"
#include "tests/process/peer.h"
#include "tests/process/scene.h"

#define HANG_NS   50000000u /* of CPU: no call needs a thousandth of it */
#define LATE_MS   10000u
#define WARM      1u /* another one */
#define IN(state) (1u << (state))

struct play {
    const char *policy;
    void (*setup)(void);   /* in the test's process; NULL: nothing */
    void (*prepare)(void); /* in the worker; NULL: it is an operator, whose act counts whenever it comes */
    void (*act)(void);
    unsigned ends;  /* states in which the gate may be once the dead worker is reaped */
    unsigned calls; /* outcomes that its call may have left: 1, or 2 where it dies settling it */
};

static const struct play *play;
static struct lane *own;
static struct held mine, kept[2];
static unsigned kept_count;
static struct tally base;
static uint64_t base_gate;

/* Everything that a breaker does, without ever sleeping or spinning. */
static void peer_goes_round(void)
{
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    for (unsigned i = 0; i < kept_count; i++)
        peer_settles(kept[i], OUTCOME_IGNORED);
    peer_recovers();
    peer_trips();
    peer_recovers();
    getrusage(RUSAGE_THREAD, &after);
    cr_assert_eq(after.ru_nvcsw, before.ru_nvcsw, "a call has waited");
    cr_assert_lt(peer.slowest_ns, HANG_NS, "a call took %llu ns", (unsigned long long)peer.slowest_ns);
}

/* ---- what must hold ---- */

static void reap(pid_t pid)
{
    for (uint32_t i = 0; i < scene.segment.worker_count; i++)
        if (process_pid(atomic_load(&scene.segment.workers[i].process)) == (uint32_t)pid)
            worker_reap(&scene.segment, i);
}

static uint64_t settled(const struct tally *t)
{
    return t->successes + t->failures + t->ignored + t->abandoned + t->overdue;
}

static uint32_t places_taken(void)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < scene.segment.place_count; i++)
        taken += atomic_load(&scene.segment.places[i]) != 0;
    return taken;
}

/* Only the test's own worker, chunk, calls and places are there. */
static void check_nothing_left(uint32_t step)
{
    for (uint32_t i = 0; i < scene.segment.worker_count; i++)
        cr_assert(i + 1 == lane_worker(peer.lane) || atomic_load(&scene.segment.workers[i].process) == 0,
                  "step %u: its worker number is left", step);
    for (uint32_t chunk = 0; chunk < scene.segment.chunk_count; chunk++) {
        uint32_t owner = atomic_load(&scene.segment.owners[chunk]);
        cr_assert(owner == 0 || owner == lane_worker(peer.lane), "step %u: its chunk is left", step);
        for (uint32_t i = 0; owner == 0 && i < CHUNK_CALLS; i++)
            cr_assert_eq(atomic_load(&scene.segment.chunks[chunk].calls[i].call) & CALL_BUSY, 0,
                         "step %u: its call is left", step);
    }
}

static void check_counts(uint32_t step, uint64_t peers, uint64_t own_calls)
{
    struct tally now;
    tally_slot(&scene.segment, PEER_SLOT, &now);
    uint64_t extra = settled(&now) - settled(&base) - peers;
    cr_assert_leq(extra, own_calls, "step %u: %llu outcomes of one call", step, (unsigned long long)extra);
    uint16_t transitions = (uint16_t)(gate_epoch(peer_gate()) - gate_epoch(base_gate));
    cr_assert_eq(now.transitions, base.transitions + transitions, "step %u: transitions", step);
}

static void check_own_counts(uint32_t step)
{
    struct tally now;
    tally_slot(&scene.segment, PEER_SLOT, &now);
    const uint64_t *first = &now.successes, *was = &base.successes;
    for (const uint64_t *each = first; each <= &now.overdue; each++)
        cr_assert_leq(*each - was[each - first], 1, "step %u: counter %td", step, each - first);
    if (gate_epoch(peer_gate()) == gate_epoch(base_gate)) {
        cr_assert(now.streak == 0 || now.streak <= base.streak + play->calls, "step %u: streak", step);
        cr_assert_leq(now.window_calls, base.window_calls + play->calls, "step %u: window", step);
    }
}

/* The worker is dead, or as good as that. */
static void check_dead(pid_t pid, uint32_t step)
{
    reap(pid);
    check_nothing_left(step);
    check_counts(step, 0, play->calls);
    check_own_counts(step);
    uint64_t gate = peer_gate();
    cr_assert(gate_state(gate) <= STATE_METRICS_ONLY && (IN(gate_state(gate)) & play->ends), "step %u: %s", step,
              state_name(gate_state(gate)));
    cr_assert(gate_state(gate) != STATE_HALF_OPEN || gate_probes(gate) <= gate_probes(base_gate),
              "step %u: its probe is left", step);
    peer_goes_round();
    cr_assert_eq(places_taken(), 0, "step %u: its place is left", step);
}

static struct image here;

static void look(pid_t pid, uint32_t step)
{
    if (step == 0) {
        tally_slot(&scene.segment, PEER_SLOT, &base);
        base_gate = peer_gate();
    }
    image_take(&here);
    peer_goes_round();
    image_put(&here);
    check_dead(pid, step);
    image_put(&here);
}

static void kill_at(struct moment moment)
{
    uint32_t step = moment.step;
    struct stepper worker;
    stepper_start(&worker, play->prepare, play->act);
    moment_reach(&worker, moment);
    stepper_kill(&worker);
    check_dead(worker.pid, step);
}

/* Others go on while it stands; what it does afterwards belongs to a time gone by and moves nothing. */
static void overtake_at(struct moment moment)
{
    uint32_t step = moment.step;
    struct stepper worker;
    stepper_start(&worker, play->prepare, play->act);
    moment_reach(&worker, moment);
    peer.settled = 0;
    peer_goes_round();
    call_tick(&scene.segment);
    uint64_t gate = peer_gate();
    stepper_finish(&worker);
    cr_assert(peer_gate() == gate || !play->prepare, "step %u: it has moved the breaker", step);
    stepper_kill(&worker);
    reap(worker.pid);
    check_nothing_left(step);
    /* An acquire that would have been rejected may have found the breaker closed by now. */
    check_counts(step, peer.settled, play->calls ? play->calls : 1);
    cr_assert_eq(places_taken(), 0, "step %u: its place is left", step);
}

static void create(const char *name, const char *text)
{
    struct policy policy;
    uint32_t slot;
    char error[POLICY_ERROR_SIZE];
    cr_assert_eq(policy_parse(text, &policy, error), 0, "%s", error);
    cr_assert_eq(panel_create(&scene.segment, name, &policy, 0, &slot, error), PANEL_CREATED, "%s", error);
}

static void perform(const struct play *p)
{
    struct image before = {0};
    struct moments moments;
    struct held held;
    play = p;
    create("acted-on", p->policy);
    create("warm", NULL);
    cr_assert_eq(lane_create(&peer.lane), 0);
    cr_assert_eq(lane_asks(peer.lane, WARM, &held), ANSWER_ADMITTED);
    if (p->setup)
        p->setup();
    image_take(&before);
    moments_survey(&moments, &before, p->prepare, p->act, look, AFTER_CHANGES);
    for (uint32_t i = 0; i < moments.count; i++) {
        image_put(&before);
        kill_at(moments.at[i]);
        image_put(&before);
        overtake_at(moments.at[i]);
    }
    cr_log_info("%u steps, %u of them with real kills; slowest call of another process %llu ns of CPU", moments.steps,
                moments.count, (unsigned long long)peer.slowest_ns);
    moments_free(&moments);
    image_free(&before);
    image_free(&here);
}

/* ---- the acts ---- */

static void begin(void)
{
    scene_begin(2);
}

TestSuite(kill_each_step, .init = begin, .fini = scene_end);

#define ACT(name, ...)                                                                                                 \
    Test(kill_each_step, name)                                                                                         \
    {                                                                                                                  \
        perform(&(struct play){__VA_ARGS__});                                                                          \
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
    for (kept_count = 0; kept_count < 2; kept_count++)
        cr_assert_eq(peer_asks(&kept[kept_count]), ANSWER_ADMITTED);
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
    if (lane_asks(own, WARM, &mine) == ANSWER_ADMITTED)
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

/* As the library does what nearly every call is. */
static void acquires_plainly(void)
{
    struct plain_target target = plain_target(&scene.segment, PEER_SLOT);
    if (!plain_acquire(&target, own, panel_commit(&scene.segment, PEER_SLOT), &mine))
        _exit(1);
}

static void succeeds_plainly(void)
{
    struct plain_target target = plain_target(&scene.segment, PEER_SLOT);
    if (plain_success(&target, own, &mine))
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

#define PLAIN         "failure_threshold=3 open_timeout=1s half_open_timeout=2s"
#define OF_TWO        PLAIN " success_threshold=2"
#define TWO_AT_A_TIME PLAIN " half_open_max_calls=2"
#define RATE          " failure_rate_threshold=50 minimum_calls=4 failure_threshold=0 open_timeout=1s"
#define BULKHEAD      PLAIN " max_concurrent=2"
#define TIMED         PLAIN " call_timeout=5s"
#define CLOSED        IN(STATE_CLOSED)
#define OPEN          IN(STATE_OPEN)
#define HALF_OPEN     IN(STATE_HALF_OPEN)

ACT(acquire, PLAIN, NULL, has_called, acquires, CLOSED, 1)
ACT(plain_acquire, PLAIN, NULL, has_called, acquires_plainly, CLOSED, 1)
ACT(plain_success, PLAIN, NULL, is_in_plain_call, succeeds_plainly, CLOSED, 2)
ACT(plain_success_in_window, PLAIN " window=count:4", NULL, is_in_plain_call, succeeds_plainly, CLOSED, 2)
ACT(plain_success_timed, PLAIN " timing=precise", NULL, is_in_plain_call, succeeds_plainly, CLOSED, 2)
ACT(first_acquire_of_a_process, PLAIN, NULL, starts, acquires, CLOSED, 1)
ACT(success, PLAIN, peer_fails_once, is_in_call, succeeds, CLOSED, 2)
ACT(failure, PLAIN, NULL, is_in_call, fails, CLOSED, 2)
ACT(ignore, PLAIN, NULL, is_in_call, ignores, CLOSED, 2)
ACT(trip, PLAIN, peer_fails_twice, is_in_call, fails, OPEN, 2)
ACT(trip_by_hand, PLAIN, NULL, NULL, trips_by_hand, CLOSED | OPEN, 0)
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
ACT(end_of_an_override, PLAIN, override_is_due, has_called, acquires, CLOSED | IN(STATE_DISABLED), 1)
