/* Readers of the panel while it is written: every copy is of one commit, every name leads to its own block. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/panel.h"

enum { READERS = 3, ROUNDS = 20000 };

static struct segment segment;
static uint32_t subject;
static atomic_int stop, reads, torn;

/* All fields equal: a mixture of two policies shows. */
static struct policy uniform(uint32_t value)
{
    struct policy policy;
    uint32_t fields[sizeof policy / sizeof value];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        fields[i] = value;
    memcpy(&policy, fields, sizeof policy);
    policy.max_concurrent = 0;
    return policy;
}

static bool is_uniform(const struct policy *policy)
{
    struct policy same = uniform(policy->failure_threshold);
    return memcmp(policy, &same, sizeof same) == 0;
}

static void *read_all_the_time(void *unused)
{
    struct control_copy copy;
    struct policy_view view;
    while (!atomic_load(&stop)) {
        bool whole = true;
        if (panel_policy(&segment, subject, &view))
            whole = is_uniform(&view.policy);
        if (panel_read(&segment, subject, &copy, NULL))
            whole = whole && is_uniform(&copy.policy) && strcmp(copy.name, "subject") == 0;
        atomic_fetch_add(&torn, !whole);
        atomic_fetch_add(&reads, 1);
    }
    return unused;
}

/* `steady` is there all the time; what comes and goes beside it must not hide it. */
static void *find_all_the_time(void *unused)
{
    while (!atomic_load(&stop)) {
        atomic_fetch_add(&torn, panel_find(&segment, "steady") < 0);
        atomic_fetch_add(&reads, 1);
    }
    return unused;
}

static void begin(void)
{
    struct geometry geometry = {64, 1, 1, 1, 1, 1, 1};
    struct policy policy = uniform(0);
    char error[SEGMENT_ERROR_SIZE];
    uint32_t slot;
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    cr_assert_eq(panel_create(&segment, "subject", &policy, 0, &subject, error), PANEL_CREATED);
    cr_assert_eq(panel_create(&segment, "steady", &policy, 0, &slot, error), PANEL_CREATED);
    atomic_store(&stop, 0);
    atomic_store(&reads, 0);
    atomic_store(&torn, 0);
}

static void with_readers(void *(*reader)(void *), void (*write_round)(uint32_t))
{
    pthread_t threads[READERS];
    begin();
    for (int i = 0; i < READERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, reader, NULL), 0);
    for (uint32_t round = 0; round < ROUNDS || atomic_load(&reads) < ROUNDS; round++)
        write_round(round);
    atomic_store(&stop, 1);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    segment_close(&segment);
    cr_assert_eq(atomic_load(&torn), 0, "%d of %d reads", atomic_load(&torn), atomic_load(&reads));
}

static void change_policy(uint32_t round)
{
    char error[SEGMENT_ERROR_SIZE];
    struct policy policy = uniform(round);
    cr_assert_eq(panel_set_policy(&segment, subject, &policy, error), 0);
}

Test(threads_panel, no_reader_sees_a_mixture)
{
    with_readers(read_all_the_time, change_policy);
}

static void come_and_go(uint32_t round)
{
    char name[32], error[SEGMENT_ERROR_SIZE];
    struct policy policy = uniform(round);
    uint32_t slot;
    snprintf(name, sizeof name, "guest-%u", (unsigned)(round / 2 % 1000));
    cr_assert(panel_create(&segment, name, &policy, 0, &slot, error) >= 0);
    cr_assert(round % 2 == 0 || panel_remove(&segment, slot) == 0);
}

Test(threads_panel, no_reader_misses_a_name)
{
    with_readers(find_all_the_time, come_and_go);
}
