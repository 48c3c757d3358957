/*
 * Changes as `cbctl --offline` makes them (and the daemon), cut short after any instruction: the block holds the old or
 * the new, whole, and workers never notice; the next keeper is let in at once, puts right what lies half done, and the
 * events tell of the change exactly if it was made, with who made it and why.
 *
 * One pass goes through every instruction and, wherever the memory has changed, lets the writer be as good as dead: its
 * robust mutexes are marked as the kernel marks a dead owner's, and the memory is put back afterwards. At some of these
 * moments it is really killed.
 */
#include <criterion/criterion.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "core/action.h"
#include "core/keeper.h"
#include "tests/process/view.h"

#define KILL_EVERY 25 /* of the moments at which the memory has changed */

#define UID    7u
#define REASON "ticket 4711"

struct change {
    void (*make)(struct scribe *, struct actor);
    bool (*made)(void);
    enum cause cause;
    const char *reason; /* the event's */
    bool once;          /* doing it again is no change */
};

static const struct change *change;
static struct view before, after;
static struct lane *peer;
static struct scribe scribe;
static uint64_t events_before;
static uint32_t keepers_died;
static char error[SEGMENT_ERROR_SIZE];

/* ---- making a change ---- */

static void takes(void)
{
    keeper_take(&scene.segment, KEEPER_TOOL);
    scribe_open(&scribe, &scene.segment, NULL, NULL);
}

static void makes(void)
{
    change->make(&scribe, (struct actor){.pid = 1, .uid = UID});
}

static void leaves(void)
{
    scribe_close(&scribe);
    keeper_leave(&scene.segment);
}

static void makes_and_leaves(void)
{
    makes();
    leaves();
}

static void does_all(void)
{
    takes();
    makes_and_leaves();
}

/* ---- what must hold ---- */

/* Events since `events_before`, all of the change. */
static unsigned told(uint32_t step)
{
    unsigned count = 0;
    struct event event;
    for (uint64_t i = events_before + 1; i <= events_last(&scene.segment); i++, count++) {
        cr_assert(events_read(&scene.segment, i, &event), "step %u: event %llu", step, (unsigned long long)i);
        cr_assert_eq(event.cause, change->cause, "step %u: an event of %s", step, cause_name(event.cause));
        cr_assert(event.uid == UID && event.pid == 1 && !event.filled, "step %u: uid %u", step, event.uid);
        cr_assert_str_eq(event.reason, change->reason, "step %u", step);
        cr_assert_str_eq(event.name, change->cause == CAUSE_CREATED ? "new" : "limited", "step %u", step);
    }
    return count;
}

static uint32_t keeper_word(void)
{
    return atomic_load((au32 *)(void *)&scene.segment.panel_rw->keeper);
}

static void next_keeper_is_let_in(uint32_t step)
{
    keepers_died += (keeper_word() & FUTEX_OWNER_DIED) != 0;
    int result = keeper_take(&scene.segment, KEEPER_DAEMON);
    cr_assert_eq(result, 0, "step %u: the next keeper gets %s", step, strerror(-result));
    cr_assert_eq(scribe_open(&scribe, &scene.segment, NULL, NULL), 0);
}

static void check(uint32_t step)
{
    view_between(&before, &after, step);
    view_worker_calls(peer, step);
    bool made = change->made();
    next_keeper_is_let_in(step);
    cr_assert_eq(change->made(), made, "step %u: the next keeper has changed it", step);
    cr_assert_eq(told(step), made, "step %u: %s, but the events say otherwise", step, made ? "made" : "not made");
    view_index(step);
    view_places(step);
    view_between(&before, &after, step);
    makes();
    view_same(&after, step);
    cr_assert(change->made(), "step %u: it cannot be made again", step);
    cr_assert(told(step) == 1 || !change->once, "step %u: told twice", step);
    view_index(step);
    view_places(step);
    leaves();
    cr_assert_eq(keeper_take(&scene.segment, KEEPER_TOOL), 0, "step %u: the one after that is kept out", step);
    keeper_leave(&scene.segment);
}

/* What the kernel does to a robust mutex whose owner has died. */
static void bury(pthread_mutex_t *mutex, pid_t dead)
{
    au32 *word = (au32 *)(void *)mutex;
    uint32_t owner = atomic_load(word);
    if ((owner & FUTEX_TID_MASK) == (uint32_t)dead)
        atomic_store(word, (owner & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
}

static void look(pid_t pid, uint32_t step)
{
    static struct image here;
    if (step != 0 && image_same(&here) && !getenv("CB_EVERY_STEP"))
        return;
    image_take(&here);
    bury(&scene.segment.panel_rw->keeper, pid);
    bury(&scene.segment.panel_rw->mutex, pid);
    for (uint32_t slot = 0; slot < VIEW_SLOTS; slot++)
        bury((pthread_mutex_t *)&scene.segment.controls[slot].mutex, pid);
    check(step);
    image_put(&here);
}

static void kill_at(struct moment moment, void (*prepare)(void), void (*act)(void))
{
    struct stepper writer;
    stepper_start(&writer, prepare, act);
    moment_reach(&writer, moment);
    stepper_kill(&writer);
    check(moment.step);
}

static void views_take(const struct image *image)
{
    view_take(&before);
    does_all(); /* also binds the functions that the act calls, once for all children */
    view_take(&after);
    image_put(image);
    events_before = events_last(&scene.segment);
}

static void perform(const struct change *made, void (*prepare)(void), void (*act)(void))
{
    struct image image = {0};
    struct moments moments;
    change = made;
    image_take(&image);
    views_take(&image);
    moments_survey(&moments, &image, prepare, act, look, AFTER_CHANGES);
    keepers_died = 0;
    for (uint32_t i = 0; i < moments.count; i += KILL_EVERY) {
        image_put(&image);
        kill_at(moments.at[i], prepare, act);
    }
    cr_log_info("%u steps, %u changes, %u kills of a keeper", moments.steps, moments.count, keepers_died);
    cr_assert_gt(keepers_died, 0, "no kill has hit a keeper");
    moments_free(&moments);
    image_free(&image);
}

/* ---- the changes ---- */

static struct policy policy_of(const char *text)
{
    struct policy policy;
    cr_assert_eq(policy_parse(text, &policy, error), 0, "%s", error);
    return policy;
}

static void create(const char *name, const char *text)
{
    struct policy policy = policy_of(text);
    uint32_t slot;
    cr_assert_eq(action_create(&scribe, (struct actor){1, UID}, name, &policy, &slot, error), PANEL_CREATED);
}

static void begin(void)
{
    struct held held;
    scene_begin(VIEW_SLOTS);
    takes();
    create("steady", "failure_threshold=1000000");
    create("limited", "max_concurrent=3");
    create("other", "");
    leaves();
    cr_assert_eq(lane_create(&peer), 0);
    call_acquire(&scene.segment, peer, 0, panel_commit(&scene.segment, 0), &held);
}

TestSuite(kill_each_change, .init = begin, .fini = scene_end);

#define NEW     "failure_threshold=7 max_concurrent=4"
#define CHANGED "failure_rate_threshold=50 window=count:10 max_concurrent=6"
#define LIMITED 1u

static void creates(struct scribe *by, struct actor actor)
{
    static struct policy policy;
    uint32_t slot;
    policy_parse(NEW, &policy, error);
    action_create(by, actor, "new", &policy, &slot, error);
}

static bool created(void)
{
    struct view now;
    view_take(&now); /* the index may not know it yet */
    return now.used[3];
}

static const struct change creation = {creates, created, CAUSE_CREATED, NEW, true};

static void changes_policy(struct scribe *by, struct actor actor)
{
    static struct policy policy;
    policy_parse(CHANGED, &policy, error);
    action_set_policy(by, actor, LIMITED, &policy, error);
}

static bool policy_changed(void)
{
    struct policy_view view;
    return panel_policy(&scene.segment, LIMITED, &view) && view.policy.max_concurrent == 6;
}

static const struct change policy_change = {changes_policy, policy_changed, CAUSE_POLICY, CHANGED, true};

static void overrides(struct scribe *by, struct actor actor)
{
    action_override(by, actor, LIMITED, STATE_FORCED_OPEN, 0, REASON);
}

static bool overridden(void)
{
    return call_state(&scene.segment, LIMITED) == STATE_FORCED_OPEN;
}

static const struct change override = {overrides, overridden, CAUSE_OVERRIDE, REASON, false};

static void removes(struct scribe *by, struct actor actor)
{
    if (panel_find(&scene.segment, "limited") >= 0)
        action_remove(by, actor, LIMITED, REASON);
}

static bool removed(void)
{
    return panel_find(&scene.segment, "limited") < 0;
}

static const struct change removal = {removes, removed, CAUSE_REMOVED, REASON, true};

Test(kill_each_change, create)
{
    perform(&creation, takes, makes_and_leaves);
}

Test(kill_each_change, set_policy)
{
    perform(&policy_change, takes, makes_and_leaves);
}

Test(kill_each_change, override)
{
    perform(&override, takes, makes_and_leaves);
}

Test(kill_each_change, remove)
{
    perform(&removal, takes, makes_and_leaves);
}

/* From taking the registry to leaving it. */
Test(kill_each_change, all_of_it)
{
    perform(&override, NULL, does_all);
}
