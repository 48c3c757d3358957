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
#include <sys/resource.h>

#include "core/call.h"
#include "core/control.h"
#include "core/panel.h"
#include "tests/process/scene.h"

#define CAPACITY 6u
#define PLACES   16u /* of the scene */

/* What readers find. */
struct view {
    bool used[CAPACITY], found[CAPACITY]; /* found under its name */
    struct control_copy copy[CAPACITY];
};

static struct view before, after;
static struct lane *peer;
static uint32_t owners_died;
static void (*act)(void);
static char error[SEGMENT_ERROR_SIZE];

static void view_take(struct view *view)
{
    memset(view, 0, sizeof *view);
    for (uint32_t slot = 0; slot < CAPACITY; slot++) {
        view->used[slot] = panel_read(&scene.segment, slot, &view->copy[slot], NULL);
        view->found[slot] = view->used[slot] && panel_find(&scene.segment, view->copy[slot].name) == slot;
    }
}

/* ---- what must hold ---- */

static bool block_is(const struct view *view, const struct view *now, uint32_t slot)
{
    return view->used[slot] == now->used[slot] &&
           (!now->used[slot] || memcmp(&view->copy[slot], &now->copy[slot], sizeof now->copy[slot]) == 0);
}

static void readers_see_whole_blocks(uint32_t step)
{
    struct view now;
    view_take(&now);
    for (uint32_t slot = 0; slot < CAPACITY; slot++) {
        cr_assert(block_is(&before, &now, slot) || block_is(&after, &now, slot), "step %u: block %u is neither", step,
                  slot);
        uint64_t commit = panel_commit(&scene.segment, slot);
        cr_assert(!now.used[slot] || (commit & 0xfffe) == panel_traits(&now.copy[slot].policy), "step %u: traits",
                  step);
        cr_assert(now.found[slot] || !before.found[slot] || !after.found[slot], "step %u: %s is not found", step,
                  before.copy[slot].name);
    }
}

static void workers_call(uint32_t step)
{
    struct held held;
    struct rusage was, is;
    getrusage(RUSAGE_THREAD, &was);
    cr_assert_eq(call_acquire(&scene.segment, peer, 0, panel_commit(&scene.segment, 0), &held), ANSWER_ADMITTED);
    cr_assert_eq(call_settle(&scene.segment, peer, &held, OUTCOME_FAILURE, TOOK_MEASURED), CALL_SETTLED);
    cr_assert_eq(call_state(&scene.segment, 0), STATE_CLOSED, "step %u", step);
    getrusage(RUSAGE_THREAD, &is);
    cr_assert_eq(is.ru_nvcsw, was.ru_nvcsw, "step %u: a call has waited", step);
}

/* The next writer gets the mutex, and is told if its last owner died. */
static void lock_header(uint32_t step)
{
    int result = panel_lock(&scene.segment, &scene.segment.panel_rw->mutex);
    cr_assert(result == 0 || result == -EOWNERDEAD, "step %u: the next writer gets %s", step, strerror(-result));
    owners_died += result == -EOWNERDEAD;
    pthread_mutex_unlock(&scene.segment.panel_rw->mutex);
}

static void index_is_right(uint32_t step)
{
    uint32_t used = 0, entries = 0;
    for (uint32_t slot = 0; slot < CAPACITY; slot++) {
        struct control_copy copy;
        if (!panel_read(&scene.segment, slot, &copy, NULL))
            continue;
        used++;
        cr_assert_eq(panel_find(&scene.segment, copy.name), slot, "step %u: %s leads elsewhere", step, copy.name);
    }
    for (uint32_t at = 0; at < scene.segment.index_length; at++) {
        uint32_t entry = atomic_load(&scene.segment.index[at]);
        entries += entry != 0 && entry != INDEX_TOMB;
    }
    cr_assert_eq(entries, used, "step %u: %u entries lead to %u breakers", step, entries, used);
}

static void places_are_right(uint32_t step)
{
    uint32_t holders[PLACES] = {0};
    for (uint32_t slot = 0; slot < CAPACITY; slot++) {
        struct control_copy copy;
        if (!panel_read(&scene.segment, slot, &copy, NULL) || copy.place_length == 0)
            continue;
        cr_assert_geq(copy.place_length, copy.policy.max_concurrent);
        cr_assert_leq(copy.place_first + copy.place_length, scene.segment.panel->place_top, "step %u: top", step);
        for (uint32_t i = 0; i < copy.place_length; i++)
            cr_assert_eq(holders[copy.place_first + i]++, 0, "step %u: a place belongs to two", step);
    }
}

/* Whatever had become of it, doing it again ends as if nobody had died. */
static void again_comes_to_the_same(uint32_t step)
{
    struct view now;
    act();
    view_take(&now);
    for (uint32_t slot = 0; slot < CAPACITY; slot++) {
        cr_assert_eq(now.used[slot], after.used[slot], "step %u: block %u", step, slot);
        cr_assert_str_eq(now.copy[slot].name, after.copy[slot].name, "step %u: block %u", step, slot);
        cr_assert_eq(memcmp(&now.copy[slot].policy, &after.copy[slot].policy, sizeof(struct policy)), 0);
        cr_assert_eq(memcmp(&now.copy[slot].override, &after.copy[slot].override, sizeof(struct override)), 0);
    }
}

static void look(pid_t pid, uint32_t step)
{
    static struct image here;
    (void)pid;
    image_take(&here);
    readers_see_whole_blocks(step);
    workers_call(step);
    image_put(&here);
}

static void kill_at(struct moment moment)
{
    uint32_t step = moment.step;
    struct stepper writer;
    stepper_start(&writer, NULL, act);
    moment_reach(&writer, moment);
    stepper_kill(&writer);
    readers_see_whole_blocks(step);
    lock_header(step);
    index_is_right(step);
    places_are_right(step);
    readers_see_whole_blocks(step);
    again_comes_to_the_same(step);
    index_is_right(step);
    places_are_right(step);
    workers_call(step);
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
    scene_begin(CAPACITY);
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
