#include "tests/process/guest.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <time.h>

#include "core/lane.h"
#include "tests/folder.h"

struct house house;

void house_open(void)
{
    char error[SEGMENT_ERROR_SIZE];
    daemon_start(&house.daemon, NULL);
    cr_assert_eq(cb_attach(house.daemon.registry, &house.registry), 0, "%s", cb_last_error());
    cr_assert_eq(segment_open(house.daemon.registry, false, &house.segment, error), 0, "%s", error);
    house_answers(0);
    house.descriptors = process_descriptors(house.daemon.pid);
}

void house_close(void)
{
    segment_close(&house.segment);
    cb_detach(&house.registry);
    daemon_stop(&house.daemon);
}

void guest_acts(void)
{
    cb_registry *own;
    cb_breaker *breaker;
    cb_permit permit;
    if (cb_attach(house.daemon.registry, &own) != 0 ||
        cb_get_or_create(own, GUEST_BREAKER, GUEST_POLICY, &breaker) != 0 ||
        cb_acquire(breaker, &permit) != CB_ADMITTED)
        _exit(1);
}

void house_answers(unsigned step)
{
    cr_assert_eq(cb_ping(house.registry, NULL, NULL), 0, "step %u: %s", step, cb_last_error());
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static unsigned worker_numbers(pid_t pid)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < house.segment.worker_count; i++)
        count += process_pid(atomic_load(&house.segment.workers[i].process)) == (uint32_t)pid;
    return count;
}

static bool chunk_left(uint32_t chunk)
{
    uint32_t owner = atomic_load(&house.segment.owners[chunk]);
    for (uint32_t i = 0; owner == 0 && i < CHUNK_CALLS; i++)
        if (atomic_load(&house.segment.chunks[chunk].calls[i].call) & CALL_BUSY)
            return true;
    return owner != 0 && atomic_load(&house.segment.workers[owner - 1].process) == 0;
}

/* Parts of the lanes that belong to nobody who is there, and calls in parts that belong to nobody. */
static unsigned chunks_left(void)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < house.segment.chunk_count; i++)
        count += chunk_left(i);
    return count;
}

static uint64_t others_create_and_call(unsigned step)
{
    cb_breaker *breaker;
    cb_permit permit;
    struct cb_snapshot counts;
    cr_assert_eq(cb_get_or_create(house.registry, GUEST_BREAKER, GUEST_POLICY, &breaker), 0, "step %u: %s", step,
                 cb_last_error());
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_success(&permit), 0);
    cr_assert_eq(cb_snapshot_of(breaker, &counts, sizeof counts), 0);
    cr_assert_eq(counts.in_flight, 0, "step %u: its call is left", step);
    cr_assert_leq(counts.abandoned, 1, "step %u", step);
    cr_assert_eq(cb_remove(breaker, NULL), 0, "step %u: %s", step, cb_last_error());
    return counts.abandoned;
}

uint64_t guest_leaves_nothing(pid_t guest, unsigned step)
{
    uint64_t until = now_ms() + HARNESS_DEADLINE_MS;
    while (worker_numbers(guest) > 0 || process_descriptors(house.daemon.pid) > house.descriptors) {
        cr_assert(now_ms() < until, "step %u: %u worker numbers and %u descriptors are left", step,
                  worker_numbers(guest), process_descriptors(house.daemon.pid) - house.descriptors);
        poll(NULL, 0, 1);
    }
    cr_assert_eq(chunks_left(), 0, "step %u: its place in the lanes is left", step);
    house_answers(step);
    return others_create_and_call(step);
}
