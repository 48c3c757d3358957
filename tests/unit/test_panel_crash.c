/* Writers of the panel that are killed under their mutexes: readers see what was committed, the next writer goes on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/control.h"
#include "core/object.h"
#include "core/panel.h"

static struct segment segment;
static char registry[64], error[SEGMENT_ERROR_SIZE];
static const struct policy plain = {.failure_threshold = 5, .open_timeout_ms = 1000};

static void begin(void)
{
    struct geometry geometry = {64, 1, 1, 1, 64, 1, 1};
    snprintf(registry, sizeof registry, "test-crash-%d", (int)getpid());
    int result = segment_create(registry, &geometry, (gid_t)-1, "", &segment, error);
    cr_assert_eq(result, 0, "%s", error);
}

static void end(void)
{
    segment_retire(registry, &segment);
    segment_close(&segment);
}

TestSuite(crash, .init = begin, .fini = end);

static uint32_t created(const char *name)
{
    uint32_t slot = UINT32_MAX;
    cr_assert_eq(panel_create(&segment, name, &plain, 0, &slot, error), PANEL_CREATED, "%s", error);
    return slot;
}

/* Run `deed(slot)` in a process that is then killed, as it is. */
static void killed_after(void (*deed)(uint32_t slot), uint32_t slot)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        deed(slot);
        raise(SIGKILL);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it ended otherwise: %x", (unsigned)status);
}

static void scribble_on_uncommitted_copy(uint32_t slot)
{
    struct control *control = control_of(&segment, slot);
    panel_lock(&segment, &control->mutex);
    memset(&control->copy[~control->commit & 1], 0xee, sizeof control->copy[0]);
}

Test(crash, in_the_middle_of_a_commit)
{
    uint32_t a = created("a");
    struct control_copy before, after;
    struct policy changed = plain;
    cr_assert(panel_read(&segment, a, &before, NULL));
    killed_after(scribble_on_uncommitted_copy, a);
    cr_assert(panel_read(&segment, a, &after, NULL));
    cr_assert_eq(memcmp(&before, &after, sizeof before), 0, "readers see what was committed");
    cr_assert_eq(panel_find(&segment, "a"), a);
    changed.failure_threshold = 9;
    cr_assert_eq(panel_set_policy(&segment, a, &changed, error), 0, "%s", error);
    cr_assert(panel_read(&segment, a, &after, NULL));
    before.policy = changed;
    cr_assert_eq(memcmp(&before, &after, sizeof before), 0, "the next writer starts from what was committed");
    cr_assert_eq(panel_set_policy(&segment, a, &plain, error), 0, "the mutex is whole again");
}

Test(crash, the_next_to_lock_is_told_once)
{
    uint32_t a = created("a");
    pthread_mutex_t *mutex = &control_of(&segment, a)->mutex;
    killed_after(scribble_on_uncommitted_copy, a);
    cr_assert_eq(panel_lock(&segment, mutex), -EOWNERDEAD);
    pthread_mutex_unlock(mutex);
    cr_assert_eq(panel_lock(&segment, mutex), 0);
    pthread_mutex_unlock(mutex);
}

static void lock_header(uint32_t slot)
{
    (void)slot;
    panel_lock(&segment, &segment.panel_rw->mutex);
}

static void commit_without_index(uint32_t slot)
{
    struct control_copy copy = {.used = 1, .name = "half", .incarnation = 9, .place_first = 3, .place_length = 5};
    lock_header(slot);
    panel_lock(&segment, &control_of(&segment, slot)->mutex);
    control_store(control_of(&segment, slot), &copy);
}

Test(crash, between_a_new_breaker_and_its_entry)
{
    uint32_t slot;
    killed_after(commit_without_index, 17);
    cr_assert_eq(panel_find(&segment, "half"), -1, "not yet");
    cr_assert_eq(panel_create(&segment, "half", &plain, 0, &slot, error), PANEL_FOUND, "%s", error);
    cr_assert_eq(slot, 17);
    cr_assert_eq(segment.panel->place_top, 8);
    cr_assert_eq(panel_recover(&segment), 1);
}

static void free_without_index(uint32_t slot)
{
    lock_header(slot);
    control_store(control_of(&segment, slot), &(struct control_copy){.incarnation = 1});
}

Test(crash, between_a_removed_breaker_and_its_entry)
{
    uint32_t a = created("a");
    created("b");
    killed_after(free_without_index, a);
    cr_assert_eq(panel_find(&segment, "a"), -1, "an entry is checked against the block");
    cr_assert_eq(panel_lock(&segment, &segment.panel_rw->mutex), -EOWNERDEAD);
    pthread_mutex_unlock(&segment.panel_rw->mutex);
    uint32_t entries = 0;
    for (uint32_t position = 0; position < segment.index_length; position++)
        entries += atomic_load(&segment.index[position]) != 0;
    cr_assert_eq(entries, 1, "only b's is left");
}

static void tear_index(uint32_t slot)
{
    lock_header(slot);
    for (uint32_t position = 0; position < segment.index_length; position += 2)
        atomic_store((au32 *)&segment.index[position], position % 3 ? INDEX_TOMB : 0);
}

Test(crash, with_a_torn_index)
{
    char name[32];
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "b%d", i);
        created(name);
    }
    killed_after(tear_index, 0);
    cr_assert_eq(panel_recover(&segment), 60);
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "b%d", i);
        cr_assert_geq(panel_find(&segment, name), 0, "%s is lost", name);
    }
}

/* ---- killed anywhere ---- */

static void churn(unsigned seed)
{
    char name[32];
    for (;;) {
        struct policy policy = plain;
        uint32_t slot;
        policy.max_concurrent = (uint32_t)rand_r(&seed) % 4;
        snprintf(name, sizeof name, "b%d", rand_r(&seed) % 80);
        int result = panel_create(&segment, name, &policy, 0, &slot, error);
        if (result == PANEL_FOUND)
            rand_r(&seed) % 2 ? panel_remove(&segment, slot) : panel_set_policy(&segment, slot, &policy, error);
    }
}

static uint64_t commits(void)
{
    uint64_t sum = 0;
    for (uint32_t slot = 0; slot < segment.capacity; slot++)
        sum += panel_commit(&segment, slot) >> 32;
    return sum;
}

/* Every breaker is found under its name, and no place belongs to two. */
static void all_is_whole(int round)
{
    uint32_t holders[64] = {0};
    struct control_copy copy;
    for (uint32_t slot = 0; slot < segment.capacity; slot++) {
        if (!panel_read(&segment, slot, &copy, NULL))
            continue;
        cr_assert_eq(panel_find(&segment, copy.name), slot, "round %d: '%s' leads elsewhere", round, copy.name);
        cr_assert(copy.place_length >= copy.policy.max_concurrent && copy.place_first + copy.place_length <= 64);
        for (uint32_t i = 0; i < copy.place_length; i++)
            cr_assert_eq(holders[copy.place_first + i]++, 0, "round %d: a place belongs to two", round);
    }
}

Test(crash, anywhere)
{
    uint32_t slot;
    for (int round = 0; round < 200; round++) {
        uint64_t before = commits();
        pid_t child = fork();
        if (child == 0)
            churn((unsigned)round);
        while (commits() < before + 20 + (uint64_t)round)
            continue;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        int result = panel_create(&segment, "after", &plain, 0, &slot, error);
        cr_assert(result == PANEL_CREATED || result == PANEL_FOUND || result == -ENOSPC, "%d %s", result, error);
        all_is_whole(round);
    }
}
