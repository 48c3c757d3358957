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
#include <time.h>
#include <unistd.h>

#include "core/call.h"
#include "core/panel.h"
#include "tests/process/scene.h"

#define HANG_NS   50000000u /* of CPU: no call needs a thousandth of it */
#define LEASE_MS  2000u     /* half_open_timeout below: nothing takes longer */
#define LATE_MS   10000u
#define SLOT      0u /* the breaker that is acted on */
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
static struct lane *peer, *own; /* the test's, the worker's */
static struct held mine, kept[2];
static unsigned kept_count;
static struct tally base;
static uint64_t base_gate;
static uint64_t peer_settled, peer_slowest_ns;

static uint64_t gate_word(void)
{
    return atomic_load(&segment_slot(&scene.segment, SLOT)->gate);
}

static enum breaker_answer ask(struct lane *lane, uint32_t slot, struct held *held)
{
    return call_acquire(&scene.segment, lane, slot, panel_commit(&scene.segment, slot), held);
}

/* ---- the other process ---- */

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void peer_timed(uint64_t began)
{
    uint64_t took = cpu_ns() - began;
    if (took > peer_slowest_ns)
        peer_slowest_ns = took;
}

static enum breaker_answer peer_asks(struct held *held)
{
    uint64_t began = cpu_ns();
    enum breaker_answer answer = ask(peer, SLOT, held);
    peer_timed(began);
    return answer;
}

static void peer_settles(struct held held, enum outcome outcome)
{
    uint64_t began = cpu_ns();
    cr_assert_eq(call_settle(&scene.segment, peer, &held, outcome, TOOK_MEASURED), CALL_SETTLED);
    peer_timed(began);
    peer_settled++;
}

static enum breaker_answer peer_calls(enum outcome outcome)
{
    struct held held;
    enum breaker_answer answer = peer_asks(&held);
    if (answer == ANSWER_ADMITTED)
        peer_settles(held, outcome);
    return answer;
}

/* Call until it is closed, waiting as long as the breaker says, as the daemon ticks. */
static void peer_recovers(void)
{
    for (int i = 0; i < 20; i++) {
        bool admitted = peer_calls(OUTCOME_SUCCESS) == ANSWER_ADMITTED;
        if (admitted && gate_state(gate_word()) == STATE_CLOSED)
            return;
        uint64_t wait = call_retry_after_ms(&scene.segment, SLOT);
        cr_assert_leq(wait, LEASE_MS, "the breaker is stuck");
        *scene.now_ms += admitted ? 0 : wait ? wait : LEASE_MS;
        call_lapse(&scene.segment);
    }
    cr_assert_fail("the breaker does not close: %#llx", (unsigned long long)gate_word());
}

static void peer_trips(void)
{
    for (int i = 0; i < 8 && gate_state(gate_word()) == STATE_CLOSED; i++)
        cr_assert_eq(peer_calls(OUTCOME_FAILURE), ANSWER_ADMITTED);
    cr_assert_eq(gate_state(gate_word()), STATE_OPEN, "it cannot be tripped");
    cr_assert_eq(peer_calls(OUTCOME_SUCCESS), ANSWER_REJECTED_OPEN);
}

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
    cr_assert_lt(peer_slowest_ns, HANG_NS, "a call took %llu ns", (unsigned long long)peer_slowest_ns);
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
        cr_assert(i + 1 == lane_worker(peer) || atomic_load(&scene.segment.workers[i].process) == 0,
                  "step %u: its worker number is left", step);
    for (uint32_t chunk = 0; chunk < scene.segment.chunk_count; chunk++) {
        uint32_t owner = atomic_load(&scene.segment.owners[chunk]);
        cr_assert(owner == 0 || owner == lane_worker(peer), "step %u: its chunk is left", step);
        for (uint32_t i = 0; owner == 0 && i < CHUNK_CALLS; i++)
            cr_assert_eq(atomic_load(&scene.segment.chunks[chunk].calls[i].call) & CALL_BUSY, 0,
                         "step %u: its call is left", step);
    }
}

static void check_counts(uint32_t step, uint64_t peers, uint64_t own_calls)
{
    struct tally now;
    tally_slot(&scene.segment, SLOT, &now);
    uint64_t extra = settled(&now) - settled(&base) - peers;
    cr_assert_leq(extra, own_calls, "step %u: %llu outcomes of one call", step, (unsigned long long)extra);
    uint16_t transitions = (uint16_t)(gate_epoch(gate_word()) - gate_epoch(base_gate));
    cr_assert_eq(now.transitions, base.transitions + transitions, "step %u: transitions", step);
}

static void check_own_counts(uint32_t step)
{
    struct tally now;
    tally_slot(&scene.segment, SLOT, &now);
    const uint64_t *first = &now.successes, *was = &base.successes;
    for (const uint64_t *each = first; each <= &now.overdue; each++)
        cr_assert_leq(*each - was[each - first], 1, "step %u: counter %td", step, each - first);
    if (gate_epoch(gate_word()) == gate_epoch(base_gate)) {
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
    uint64_t gate = gate_word();
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
        tally_slot(&scene.segment, SLOT, &base);
        base_gate = gate_word();
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
    peer_settled = 0;
    peer_goes_round();
    call_tick(&scene.segment);
    uint64_t gate = gate_word();
    stepper_finish(&worker);
    cr_assert(gate_word() == gate || !play->prepare, "step %u: it has moved the breaker", step);
    stepper_kill(&worker);
    reap(worker.pid);
    check_nothing_left(step);
    /* An acquire that would have been rejected may have found the breaker closed by now. */
    check_counts(step, peer_settled, play->calls ? play->calls : 1);
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
    cr_assert_eq(lane_create(&peer), 0);
    cr_assert_eq(ask(peer, WARM, &held), ANSWER_ADMITTED);
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
                moments.count, (unsigned long long)peer_slowest_ns);
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
    *scene.now_ms += call_retry_after_ms(&scene.segment, SLOT);
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
    call_operate(&scene.segment, SLOT,
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
    if (ask(own, WARM, &mine) == ANSWER_ADMITTED)
        call_settle(&scene.segment, own, &mine, OUTCOME_SUCCESS, TOOK_MEASURED);
}

static void is_in_call(void)
{
    has_called();
    if (ask(own, SLOT, &mine) != ANSWER_ADMITTED)
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
    ask(own, SLOT, &mine);
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

static void trips_by_hand(void)
{
    call_operate(&scene.segment, SLOT, (struct gate_input){.event = GATE_OPERATOR_TRIP}, (struct actor){0});
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
