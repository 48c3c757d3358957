/* The inspector's checks beside busy workers: nothing that those do is ever taken for damage. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "core/call.h"
#include "core/check.h"
#include "core/panel.h"

#define WORKERS 3
#define ROUNDS  100000

static struct segment segment;
static _Atomic int running;

static void create(const char *name, const char *text)
{
    struct policy policy;
    char error[SEGMENT_ERROR_SIZE];
    uint32_t slot;
    cr_assert_eq(policy_parse(text, &policy, error), 0);
    cr_assert_eq(panel_create(&segment, name, &policy, 0, &slot, error), 0);
}

static void call(struct lane *lane, uint32_t slot, uint32_t round)
{
    struct held held;
    if (call_acquire(&segment, lane, slot, panel_commit(&segment, slot), &held) == ANSWER_ADMITTED)
        call_settle(&segment, lane, &held, (enum outcome)(round % 3), round % 5 ? TOOK_MEASURED : 1000);
}

/* Comes, calls and goes, over and over: lanes are begun and ended as well. */
static void *work(void *arg)
{
    uint32_t seed = *(uint32_t *)arg;
    struct lane *lane = NULL;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (round % 200 == 0)
            cr_assert_eq(lane_create(&lane), 0);
        call(lane, (round + seed) % 4, round);
        if (round % 200 == 199)
            lane_destroy(&segment, lane);
    }
    running--;
    return NULL;
}

Test(threads_check, busy_workers_are_not_damage)
{
    static uint64_t open_until[4];
    static uint64_t living[8]; /* by their records alone */
    static uint32_t owners[64], seeds[WORKERS];
    struct lane_memory memory = {owners, living};
    struct geometry geometry;
    pthread_t threads[WORKERS];
    struct gate_damage damage;
    uint64_t found = 0;
    geometry_default(&geometry, 8);
    geometry.worker_count = 8;
    geometry.chunk_count = 64;
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    create("streak", "failure_threshold=3 open_timeout=1ms");
    create("window", "window=count:50 failure_rate_threshold=50 timing=precise open_timeout=1ms");
    create("time", "window=time:1s failure_rate_threshold=50 open_timeout=2ms success_threshold=2");
    create("limited", "max_concurrent=2 call_timeout=10ms half_open_max_calls=3 open_timeout=1ms");
    running = WORKERS;
    for (uint32_t i = 0; i < WORKERS; i++) {
        seeds[i] = i;
        pthread_create(&threads[i], NULL, work, &seeds[i]);
    }
    while (running > 0) {
        for (uint32_t slot = 0; slot < 4; slot++)
            found += check_slot(&segment, slot, &open_until[slot], &damage) + check_counts(&segment, slot);
        for (uint32_t chunk = 0; chunk < 64; chunk++)
            found += check_owner(&segment, chunk, memory, false) + check_calls(&segment, chunk, memory);
        call_tick(&segment);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(found, 0);
    segment_close(&segment);
}
