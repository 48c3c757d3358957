/*
 * A process that is stopped, or killed, where it enters or leaves any system call of attaching, creating a breaker and
 * its first call: the daemon and others go on, and nothing of it is left. In between, all that it does to others is to
 * claim its place in the lanes: test_kill_each_step goes through that by instructions.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "cbclient.h"
#include "core/lane.h"
#include "core/segment.h"
#include "tests/harness.h"
#include "tests/process/step.h"

#define POLICY "failure_threshold=1000000"

static struct daemon host;
static cb_registry *registry; /* the test's own */
static struct segment segment;

static void start(void)
{
    char error[SEGMENT_ERROR_SIZE];
    daemon_start(&host, NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(segment_open(host.registry, false, &segment, error), 0, "%s", error);
}

static void stop(void)
{
    segment_close(&segment);
    cb_detach(&registry);
    daemon_stop(&host);
}

TestSuite(kill_attach, .init = start, .fini = stop);

/* ---- the process ---- */

static void attaches(void)
{
    cb_registry *own;
    cb_breaker *breaker;
    cb_permit permit;
    if (cb_attach(host.registry, &own) != 0 || cb_get_or_create(own, "dependency", POLICY, &breaker) != 0 ||
        cb_acquire(breaker, &permit) != CB_ADMITTED)
        _exit(1);
}

/* ---- what must hold ---- */

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static unsigned worker_numbers(pid_t pid)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < segment.worker_count; i++)
        count += process_pid(atomic_load(&segment.workers[i].process)) == (uint32_t)pid;
    return count;
}

static unsigned daemons_descriptors(void)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)host.pid);
    DIR *folder = opendir(path);
    cr_assert(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void daemon_answers(unsigned call)
{
    cr_assert_eq(cb_ping(registry, NULL, NULL), 0, "system call %u: %s", call, cb_last_error());
}

static void nothing_left(pid_t pid, unsigned descriptors, unsigned call)
{
    uint64_t until = now_ms() + HARNESS_DEADLINE_MS;
    while (worker_numbers(pid) > 0 || daemons_descriptors() > descriptors) {
        cr_assert(now_ms() < until, "system call %u: %u worker numbers and %u descriptors are left", call,
                  worker_numbers(pid), daemons_descriptors() - descriptors);
        poll(NULL, 0, 1);
    }
}

static void others_create_and_call(unsigned call)
{
    cb_breaker *breaker;
    cb_permit permit;
    struct cb_snapshot counts;
    cr_assert_eq(cb_get_or_create(registry, "dependency", POLICY, &breaker), 0, "system call %u: %s", call,
                 cb_last_error());
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_success(&permit), 0);
    cr_assert_eq(cb_snapshot_of(breaker, &counts, sizeof counts), 0);
    cr_assert_eq(counts.in_flight, 0, "system call %u: its call is left", call);
    cr_assert_leq(counts.abandoned, 1, "system call %u", call);
    cr_assert_eq(cb_remove(breaker, NULL), 0, "system call %u: %s", call, cb_last_error());
}

/* Stands at each of its calls while the daemon answers others; how many there are. */
static unsigned calls_of_attaching(void)
{
    struct stepper worker;
    unsigned calls = 0;
    stepper_start(&worker, NULL, attaches);
    while (stepper_to_system_call(&worker))
        daemon_answers(++calls);
    stepper_kill(&worker);
    return calls;
}

Test(kill_attach, at_every_system_call)
{
    daemon_answers(0);
    unsigned descriptors = daemons_descriptors(), calls = calls_of_attaching();
    cr_log_info("%u times in or out of a system call", calls);
    for (unsigned call = 0; call <= calls; call++) {
        struct stepper worker;
        stepper_start(&worker, NULL, attaches);
        for (unsigned i = 0; i < call; i++)
            stepper_to_system_call(&worker);
        stepper_kill(&worker);
        nothing_left(worker.pid, descriptors, call);
        daemon_answers(call);
        others_create_and_call(call);
    }
}
