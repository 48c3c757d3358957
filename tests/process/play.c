#include "tests/process/play.h"

#include <criterion/criterion.h>

#include "core/journal.h"
#include "core/panel.h"
#include "tests/process/scene.h"

#define SLOW_NS 1000000u /* of CPU, for a call of another process */
#define TRIES   5        /* a machine may take its own time now and then; whoever waits takes it each time */

pid_t play_dead;
static const struct play *play;
static struct tally base;
static uint64_t base_gate, slowest_ns;

void play_reap(pid_t pid)
{
    for (uint32_t i = 0; pid != 0 && i < scene.segment.worker_count; i++)
        if (process_pid(atomic_load(&scene.segment.workers[i].process)) == (uint32_t)pid)
            worker_reap(&scene.segment, i);
}

/* It is dead, and so is whom it may have been about to reap: the daemon's successor finds both. */
static void reap_all(pid_t pid)
{
    play_reap(pid);
    play_reap(play_dead);
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
    if (step == 0 && play->calls == 2)
        cr_assert_eq(now.abandoned, base.abandoned + 1, "a call that was only in flight is not counted");
    if (gate_epoch(peer_gate()) == gate_epoch(base_gate)) {
        cr_assert(now.streak == 0 || now.streak <= base.streak + play->calls, "step %u: streak", step);
        cr_assert_leq(now.window_calls, base.window_calls + play->calls, "step %u: window", step);
    }
}

/* The worker is dead, or as good as that. */
static void check_dead(pid_t pid, uint32_t step)
{
    reap_all(pid);
    check_nothing_left(step);
    check_counts(step, 0, play->calls);
    check_own_counts(step);
    uint64_t gate = peer_gate();
    cr_assert(gate_state(gate) <= STATE_METRICS_ONLY && (PLAY_IN(gate_state(gate)) & play->ends), "step %u: %s", step,
              state_name(gate_state(gate)));
    cr_assert(gate_state(gate) != STATE_HALF_OPEN || gate_probes(gate) <= gate_probes(base_gate),
              "step %u: its probe is left", step);
    peer_goes_round();
    cr_assert_eq(places_taken(), 0, "step %u: its place is left", step);
    struct journal_entry last;
    cr_assert(journal_read(&scene.segment, journal_next(&scene.segment) - 1, &last), "step %u: the journal", step);
}

static struct image here;

/* Others are admitted, rejected and trip while it stands there, and no call of theirs is slow because of it. */
static void look_at_peer(uint32_t step)
{
    for (int i = 0; i == 0 || peer.slowest_ns >= SLOW_NS; i++) {
        cr_assert_lt(i, TRIES, "step %u: a call took %llu ns", step, (unsigned long long)peer.slowest_ns);
        peer.slowest_ns = 0;
        peer_goes_round();
        image_put(&here);
    }
    slowest_ns = peer.slowest_ns > slowest_ns ? peer.slowest_ns : slowest_ns;
}

static void look(pid_t pid, uint32_t step)
{
    if (step == 0) {
        tally_slot(&scene.segment, PEER_SLOT, &base);
        base_gate = peer_gate();
    }
    image_take(&here);
    look_at_peer(step);
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
    reap_all(worker.pid);
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

void play_perform(const struct play *p)
{
    struct image before = {0};
    struct moments moments;
    struct held held;
    play = p;
    create("acted-on", p->policy);
    create("warm", NULL);
    cr_assert_eq(lane_create(&peer.lane), 0);
    cr_assert_eq(lane_asks(peer.lane, PLAY_WARM, &held), ANSWER_ADMITTED);
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
                moments.count, (unsigned long long)slowest_ns);
    moments_free(&moments);
    image_free(&before);
    image_free(&here);
}
