/* Timed calls beside a real daemon, which tells how long a tick of the processor's counter is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/breakers.h"
#include "tests/harness.h"

#define CLOCK_SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define WAIT_MS      10000
#define LONG_NS      25000000u

static struct daemon host;
static cb_registry *registry;
static struct segment segment;
static cb_breaker *quick, *slow;

static void begin(void)
{
    char error[SEGMENT_ERROR_SIZE];
    daemon_start(&host, NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(segment_open(host.registry, false, &segment, error), 0, "%s", error);
    quick = breaker_created(registry, "quick", "slow_call_duration=10s");
    slow = breaker_created(registry, "slow", "slow_call_duration=20ms");
}

static void end(void)
{
    segment_close(&segment);
    cb_detach(&registry);
    daemon_stop(&host);
}

TestSuite(timing, .init = begin, .fini = end);

static bool ticks_are_used(void)
{
    return atomic_load(&segment.panel->tick) & TICK_USED;
}

static bool kernel_uses_ticks(void)
{
    char name[32] = "";
    FILE *file = fopen(CLOCK_SOURCE, "r");
    bool uses = file && fgets(name, sizeof name, file) && strcmp(name, TICKS_SOURCE "\n") == 0;
    if (file)
        fclose(file);
    return uses;
}

/* The daemon has looked at its clocks some times. */
static void wait_for_ticks(void)
{
    uint64_t until = clock_read_ms(CLOCK_MONOTONIC) + WAIT_MS, soon = clock_read_ms(CLOCK_MONOTONIC) + WAIT_MS / 50;
    bool expected = kernel_uses_ticks();
    while (clock_read_ms(CLOCK_MONOTONIC) < (expected ? until : soon) && !ticks_are_used())
        usleep(1000);
    cr_assert_eq(ticks_are_used(), expected);
}

static void pass(void)
{
    for (uint64_t began = clock_read_ns(CLOCK_MONOTONIC); clock_read_ns(CLOCK_MONOTONIC) - began < LONG_NS;)
        ;
}

static void call(cb_breaker *breaker, int (*settle)(cb_permit *), void (*work)(void))
{
    cb_permit permit;
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    if (work)
        work();
    cr_assert_eq(settle(&permit), 0);
}

/* All of them by what they really took: `slow_count` calls in all have been slow. */
static void expect_timed(unsigned slow_count)
{
    call(quick, cb_success, NULL);
    call(quick, cb_success, pass);
    call(slow, cb_success, pass);
    call(slow, cb_failure, pass);
    cr_expect_eq(breaker_health(registry, "quick").counts.slow, 0);
    cr_expect_eq(breaker_health(registry, "slow").counts.slow, slow_count);
    cr_expect_geq(breaker_health(registry, "slow").latency_p50_us, LONG_NS / 1000 / 2);
    cr_expect_lt(breaker_health(registry, "quick").latency_p99_us, 10000000);
}

Test(timing, is_right_with_ticks)
{
    wait_for_ticks();
    expect_timed(2);
}

static void daemon_dies_and_returns(void)
{
    uint64_t tick = atomic_load(&segment.panel->tick);
    pass();
    daemon_kill(&host);
    cr_assert_eq(atomic_load(&segment.panel->tick), tick);
    daemon_restart(&host);
    cr_assert_eq(ticks_are_used(), (tick & TICK_USED) != 0, "the next one begins with it");
}

Test(timing, goes_on_over_the_daemons_death)
{
    wait_for_ticks();
    call(slow, cb_success, daemon_dies_and_returns);
    cr_expect_eq(breaker_health(registry, "slow").counts.slow, 1);
    wait_for_ticks();
    expect_timed(3);
}

/* A forked child has the same clocks. */
static void child_calls(void *arg)
{
    (void)arg;
    cb_permit permit;
    child_check(cb_acquire(slow, &permit) == CB_ADMITTED);
    pass();
    child_check(cb_success(&permit) == 0);
}

Test(timing, is_right_in_a_forked_child)
{
    wait_for_ticks();
    cr_assert_eq(child_wait(fork_child(child_calls, NULL)), 0);
    cr_expect_eq(breaker_health(registry, "slow").counts.slow, 1);
}
