/*
 * A writer of the panel that is stopped, or killed, after any instruction of what it writes: readers and workers never
 * notice, every block holds the old or the new, whole, and the next writer gets through and puts the rest right.
 *
 * After every single instruction the test reads and calls while the writer stands there under its mutexes. Writers are
 * really killed at chosen moments (see moments_survey): what a robust mutex does then is the kernel's part.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/call.h"
#include "core/panel.h"
#include "tests/process/view.h"

static struct view before, after;
static struct lane *peer;
static uint32_t owners_died;
static void (*act)(void);
static char error[SEGMENT_ERROR_SIZE];

/* The next writer gets the mutex, and is told if its last owner died. */
static void lock_header(uint32_t step)
{
    int result = panel_lock(&scene.segment, &scene.segment.panel_rw->mutex);
    cr_assert(result == 0 || result == -EOWNERDEAD, "step %u: the next writer gets %s", step, strerror(-result));
    owners_died += result == -EOWNERDEAD;
    pthread_mutex_unlock(&scene.segment.panel_rw->mutex);
}

static void look(pid_t pid, uint32_t step)
{
    static struct image here;
    (void)pid;
    image_take(&here);
    view_between(&before, &after, step);
    view_worker_calls(peer, step);
    image_put(&here);
}

static void kill_at(struct moment moment)
{
    uint32_t step = moment.step;
    struct stepper writer;
    stepper_start(&writer, NULL, act);
    moment_reach(&writer, moment);
    stepper_kill(&writer);
    view_between(&before, &after, step);
    lock_header(step);
    view_index(step);
    view_places(step);
    view_between(&before, &after, step);
    act(); /* whatever had become of it, doing it again ends as if nobody had died */
    view_same(&after, step);
    view_index(step);
    view_places(step);
    view_worker_calls(peer, step);
}

/* What a writer leaves that nobody kills. It also binds the functions that the act calls, once for all children. */
static void view_after(const struct image *image)
{
    view_take(&before);
    act();
    view_take(&after);
    image_put(image);
}

static void perform(void (*write)(void), enum choice choice)
{
    struct image image = {0};
    struct moments moments;
    act = write;
    image_take(&image);
    view_after(&image);
    moments_survey(&moments, &image, NULL, act, look, choice);
    for (uint32_t i = 0; i < moments.count; i++) {
        image_put(&image);
        kill_at(moments.at[i]);
    }
    cr_log_info("%u steps, %u of them with real kills, %u under the mutex", moments.steps, moments.count, owners_died);
    cr_assert_gt(owners_died, 0, "no kill has hit a writer under its mutex");
    moments_free(&moments);
    image_free(&image);
}

/* ---- the acts ---- */

static void create(const char *name, const char *text)
{
    struct policy policy;
    uint32_t slot;
    policy_parse(text, &policy, error);
    panel_create(&scene.segment, name, &policy, 7, &slot, error);
}

static void begin(void)
{
    struct held held;
    scene_begin(VIEW_SLOTS);
    cr_assert_eq(lane_create(&peer), 0);
    create("steady", "failure_threshold=1000000");
    create("limited", "max_concurrent=3");
    create("other", NULL);
    call_acquire(&scene.segment, peer, 0, panel_commit(&scene.segment, 0), &held);
}

TestSuite(kill_each_write, .init = begin, .fini = scene_end);

static void creates(void)
{
    create("new", "failure_threshold=7 max_concurrent=4");
}

Test(kill_each_write, create)
{
    perform(creates, AFTER_CHANGES);
}

/* All places have been given out once: the gap is found among the extents, the slot and the entry are used ones. */
Test(kill_each_write, create_where_others_were)
{
    create("gap", "max_concurrent=5");
    create("end", "max_concurrent=8");
    panel_remove(&scene.segment, (uint32_t)panel_find(&scene.segment, "gap"));
    perform(creates, AFTER_CHANGES);
}

static void changes_policy(void)
{
    struct policy policy;
    policy_parse("window=count:10 failure_rate_threshold=50 max_concurrent=6", &policy, error);
    panel_set_policy(&scene.segment, 1, &policy, error);
}

Test(kill_each_write, set_policy)
{
    perform(changes_policy, AFTER_CHANGES);
}

static void overrides(void)
{
    struct override override = {.state = STATE_FORCED_OPEN, .uid = 1, .pid = 2, .reason = "ticket 4711"};
    panel_set_override(&scene.segment, 1, &override);
}

Test(kill_each_write, set_override)
{
    perform(overrides, AROUND_CHANGES);
}

static void removes(void)
{
    panel_remove(&scene.segment, 1);
}

Test(kill_each_write, remove)
{
    perform(removes, AROUND_CHANGES);
}

static void tears_the_index(void)
{
    panel_lock(&scene.segment, &scene.segment.panel_rw->mutex);
    for (uint32_t at = 0; at < scene.segment.index_length; at++)
        if (atomic_load(&scene.segment.index[at]) == 3)
            atomic_store((au32 *)&scene.segment.index[at], INDEX_TOMB);
    scene.segment.panel_rw->place_top = 0;
}

/* The writer after a dead one dies while it puts the index right; so does the one after that. */
Test(kill_each_write, repair)
{
    struct stepper dead;
    stepper_start(&dead, NULL, tears_the_index);
    stepper_finish(&dead);
    stepper_kill(&dead);
    perform(overrides, AFTER_CHANGES);
}
