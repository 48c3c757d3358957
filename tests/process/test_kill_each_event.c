/*
 * Who keeps the events is killed after any change that it makes to the memory, in the middle of writing events down and
 * of every control action. Readers find whole events at any moment; the successor brings to its end what was begun: what
 * was done is among the events once, with who and why, and what was not done is not.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "core/action.h"
#include "core/journal.h"
#include "core/transition.h"
#include "tests/process/scene.h"

#define CAPACITY 3u
#define REASON   "ticket 4711"

static struct scribe scribe; /* a child's, or the successor's */
static const struct actor operator= {.uid = 1000};
static char error[SEGMENT_ERROR_SIZE];
static struct policy plain, other;
static uint32_t slot;
static uint64_t first; /* the event that the act is about */

/* ---- what is there ---- */

static uint64_t gate(void)
{
    return atomic_load(&segment_slot(&scene.segment, slot)->gate);
}

static uint64_t commit(void)
{
    return panel_commit(&scene.segment, slot);
}

static struct event event_at(uint64_t sequence)
{
    struct event event;
    cr_assert(events_read(&scene.segment, sequence, &event), "event %u", (unsigned)sequence);
    return event;
}

/* Events that can be read are whole, wherever their writer stands. */
static void look(pid_t child, uint32_t step)
{
    struct event event;
    (void)child;
    for (uint64_t i = events_first(&scene.segment); i <= events_last(&scene.segment); i++)
        cr_assert(events_read(&scene.segment, i, &event) && event.sequence == i && *event.name, "step %u: event %u",
                  step, (unsigned)i);
}

/* ---- killing ---- */

static void prepare(void)
{
    if (scribe_open(&scribe, &scene.segment, NULL, NULL) != 0)
        _exit(1);
}

static void take_over(uint32_t step)
{
    cr_assert_eq(scribe_open(&scribe, &scene.segment, NULL, NULL), 0, "step %u", step);
    cr_assert_eq(scene.segment.panel->order.number, 0, "step %u: the order is settled", step);
    scribe_turn(&scribe);
    scribe_close(&scribe);
}

/* `check(step)` says what must hold once a successor has taken over; a second one finds nothing to do. */
static void perform(void (*begun)(void), void (*act)(void), void (*check)(uint32_t step))
{
    struct image image = {0};
    struct moments moments;
    image_take(&image);
    first = events_last(&scene.segment) + 1;
    moments_survey(&moments, &image, begun, act, look, AFTER_CHANGES);
    for (uint32_t i = 0; i < moments.count; i++) {
        struct stepper writer;
        image_put(&image);
        stepper_start(&writer, begun, act);
        moment_reach(&writer, moments.at[i]);
        stepper_kill(&writer);
        take_over(moments.at[i].step);
        check(moments.at[i].step);
        uint64_t last = events_last(&scene.segment);
        take_over(moments.at[i].step);
        cr_assert_eq(events_last(&scene.segment), last, "step %u: more comes later", moments.at[i].step);
    }
    cr_log_info("%u steps, %u of them with real kills", moments.steps, moments.count);
    moments_free(&moments);
    image_free(&image);
}

/* ---- the acts ---- */

static void begin(void)
{
    char fault[POLICY_ERROR_SIZE];
    scene_begin(CAPACITY);
    policy_parse("", &plain, fault);
    policy_parse("failure_threshold=9", &other, fault);
    prepare();
    cr_assert_eq(action_create(&scribe, operator, "b", &plain, &slot, error), PANEL_CREATED);
    scribe_close(&scribe);
}

TestSuite(kill_each_event, .init = begin, .fini = scene_end);

static void check_written(uint32_t step)
{
    cr_assert_eq(events_last(&scene.segment), first + 1, "step %u: both, once", step);
    cr_assert(event_at(first).epoch == 2 && event_at(first + 1).epoch == 3, "step %u: in order", step);
    cr_assert(!event_at(first).filled && event_at(first).cause == CAUSE_STREAK, "step %u: as it was noted", step);
}

static void prepare_notes(void)
{
    struct gate_input input = {.event = GATE_TRIP, .epoch = 1, .cause = CAUSE_STREAK};
    prepare();
    transition_apply(&scene.segment, slot, input, &plain, NULL, (struct actor){0});
    input = (struct gate_input){.event = GATE_RESET};
    transition_apply(&scene.segment, slot, input, &plain, NULL, (struct actor){0});
}

static void writes_down(void)
{
    scribe_turn(&scribe);
}

Test(kill_each_event, notes)
{
    perform(prepare_notes, writes_down, check_written);
}

static uint64_t gate_before, commit_before;

/* Once if it was done, else not; and by whom and why. */
static void check_once(uint32_t step, bool done, enum cause cause, const char *reason)
{
    cr_assert_eq(events_last(&scene.segment), first - !done, "step %u: done %d", step, done);
    if (!done)
        return;
    struct event event = event_at(first);
    cr_assert(event.cause == cause && event.uid == 1000 && !event.filled, "step %u: cause %u, uid %u", step,
              event.cause, event.uid);
    cr_assert_str_eq(event.name, cause == CAUSE_CREATED ? "new" : "b");
    cr_assert_str_eq(event.reason, reason, "step %u", step);
}

static void trips(void)
{
    action_trip(&scribe, operator, slot, REASON);
}

static void check_trip(uint32_t step)
{
    check_once(step, gate() != gate_before, CAUSE_OPERATOR_TRIP, REASON);
}

Test(kill_each_event, trip)
{
    gate_before = gate();
    perform(prepare, trips, check_trip);
}

static void ends_override(void)
{
    action_override(&scribe, operator, slot, STATE_CLOSED, 0, REASON);
}

static void check_end(uint32_t step)
{
    check_once(step, gate() != gate_before, CAUSE_OVERRIDE_ENDED, REASON);
}

Test(kill_each_event, end_of_override)
{
    prepare();
    action_override(&scribe, operator, slot, STATE_FORCED_OPEN, 0, "before");
    scribe_close(&scribe);
    gate_before = gate();
    perform(prepare, ends_override, check_end);
}

static void changes_policy(void)
{
    action_set_policy(&scribe, operator, slot, &other, error);
}

static void check_policy(uint32_t step)
{
    check_once(step, commit() != commit_before, CAUSE_POLICY, "failure_threshold=9");
}

Test(kill_each_event, policy)
{
    commit_before = commit();
    perform(prepare, changes_policy, check_policy);
}

static void removes(void)
{
    action_remove(&scribe, operator, slot, REASON);
}

static void check_removal(uint32_t step)
{
    check_once(step, panel_find(&scene.segment, "b") < 0, CAUSE_REMOVED, REASON);
}

Test(kill_each_event, removal)
{
    perform(prepare, removes, check_removal);
}

static void creates(void)
{
    uint32_t created;
    action_create(&scribe, operator, "new", &other, &created, error);
}

static void check_creation(uint32_t step)
{
    check_once(step, panel_find(&scene.segment, "new") >= 0, CAUSE_CREATED, "failure_threshold=9");
}

Test(kill_each_event, creation)
{
    perform(prepare, creates, check_creation);
}
