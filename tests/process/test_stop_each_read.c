/*
 * A reader of the panel that is stopped after any instruction, while the writer commits once, twice or three times over
 * what it was reading: what it comes back with is one of the copies that were committed, whole, or nothing.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/panel.h"
#include "core/words.h"
#include "tests/process/scene.h"

#define SLOT    0u
#define COMMITS 3u

/* What the reader brings back; shared with it. */
struct found {
    bool read, read_policy;
    int64_t slot;
    struct control_copy copy;
    struct policy_view view;
};
static struct found *found;
static struct control_copy committed[COMMITS + 1];
static char error[SEGMENT_ERROR_SIZE];

/* All that is in a copy depends on the number. */
static void commit(uint32_t number)
{
    struct policy policy;
    struct override override = {.state = STATE_DISABLED, .uid = number, .pid = number};
    char text[64];
    snprintf(text, sizeof text, "failure_threshold=%u open_timeout=%us", number + 1, number + 1);
    cr_assert_eq(policy_parse(text, &policy, error), 0, "%s", error);
    cr_assert_eq(panel_set_policy(&scene.segment, SLOT, &policy, error), 0, "%s", error);
    memset(override.reason, 'a' + (char)number, REASON_SIZE - 1);
    cr_assert_eq(panel_set_override(&scene.segment, SLOT, &override), 0);
    cr_assert(panel_read(&scene.segment, SLOT, &committed[number], NULL));
}

static void begin(void)
{
    struct policy policy;
    uint32_t slot;
    scene_begin(4);
    found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(found, MAP_FAILED);
    policy_default(&policy);
    cr_assert_eq(panel_create(&scene.segment, "read", &policy, 0, &slot, error), PANEL_CREATED, "%s", error);
    commit(0);
}

static void end(void)
{
    munmap(found, sizeof *found);
    scene_end();
}

TestSuite(stop_each_read, .init = begin, .fini = end);

static void reads_block(void)
{
    found->read = panel_read(&scene.segment, SLOT, &found->copy, NULL);
}

static void reads_policy(void)
{
    found->read_policy = panel_policy(&scene.segment, SLOT, &found->view);
}

static void finds_name(void)
{
    found->slot = panel_find(&scene.segment, "read");
}

static bool copy_was_committed(void)
{
    for (uint32_t i = 0; i <= COMMITS; i++)
        if (memcmp(&found->copy, &committed[i], sizeof found->copy) == 0)
            return true;
    return false;
}

static bool view_was_committed(void)
{
    for (uint32_t i = 0; i <= COMMITS; i++)
        if (memcmp(&found->view, &committed[i].policy, sizeof found->view) == 0)
            return true;
    return false;
}

static void check(uint32_t step, uint32_t commits)
{
    cr_assert(found->read && copy_was_committed(), "step %u, %u commits: half a block", step, commits);
    cr_assert(found->read_policy && view_was_committed(), "step %u, %u commits: half a policy", step, commits);
    cr_assert_eq(found->slot, SLOT, "step %u, %u commits: not found", step, commits);
}

/* Stop at `step` of the act, commit so often, let it go on. False: the act was over before. */
static bool overtake_at(uint32_t step, uint32_t commits, void (*act)(void))
{
    struct stepper reader;
    stepper_start(&reader, NULL, act);
    for (uint32_t i = 0; i < step; i++)
        stepper_step(&reader);
    bool over = reader.over;
    for (uint32_t i = 1; i <= commits; i++)
        commit(i);
    stepper_finish(&reader);
    stepper_kill(&reader);
    return !over;
}

static void perform(void (*act)(void))
{
    struct image before = {0};
    uint32_t step = 0;
    reads_block();
    reads_policy();
    finds_name();
    image_take(&before);
    for (uint32_t commits = 1; overtake_at(step, commits, act); commits = 1 + ++step % COMMITS) {
        check(step, commits);
        image_put(&before);
    }
    cr_log_info("%u steps", step);
    image_free(&before);
}

Test(stop_each_read, block)
{
    perform(reads_block);
}

Test(stop_each_read, policy)
{
    perform(reads_policy);
}

Test(stop_each_read, name)
{
    perform(finds_name);
}
