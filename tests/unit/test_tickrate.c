/* Clocks: how long a tick is, when it is believed, and how long calls took that were timed with it. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "core/clock.h"
#include "registryd/tickrate.h"

#define PRECISE TRAIT_TIMED_PRECISE
#define COARSE  (TRAITS_TIMED & ~TRAIT_TIMED_PRECISE)

#define PASS_NS UINT64_C(40000000)
#define HALF_NS (UINT64_C(1) << 31) /* a tick of 2 GHz */

Test(tickrate, is_published_when_two_measurements_agree)
{
    cr_assert_eq(tickrate_next(0, 0, HALF_NS, true), 0, "one is not enough");
    cr_assert_eq(tickrate_next(0, HALF_NS, 0, true), 0, "one that failed is none");
    cr_assert_eq(tickrate_next(0, HALF_NS, HALF_NS + 5, true), HALF_NS + 5);
    cr_assert_eq(tickrate_next(0, HALF_NS, HALF_NS, true), HALF_NS | TICK_USED);
}

Test(tickrate, does_not_change_for_what_the_clocks_themselves_are_corrected_by)
{
    uint64_t known = HALF_NS | TICK_USED, near = HALF_NS + HALF_NS / 2000, far = HALF_NS + HALF_NS / 500;
    cr_assert_eq(tickrate_next(known, near, near, true), known);
    cr_assert_eq(tickrate_next(known, far, far, true), far | TICK_USED);
    cr_assert_eq(tickrate_next(known, far, HALF_NS, true), known);
}

/* As after a sleep, during which the one clock stood and the other did not. */
Test(tickrate, is_not_misled_by_a_single_measurement)
{
    uint64_t known = HALF_NS | TICK_USED;
    cr_assert_eq(tickrate_next(known, HALF_NS, HALF_NS / 1000, true), known);
    cr_assert_eq(tickrate_next(known, HALF_NS / 1000, HALF_NS, true), known);
}

Test(tickrate, is_kept_for_calls_under_way_when_the_kernel_turns_to_another_clock)
{
    uint64_t known = HALF_NS | TICK_USED;
    cr_assert_eq(tickrate_next(known, HALF_NS, HALF_NS, false), HALF_NS);
    cr_assert_eq(tickrate_next(HALF_NS, HALF_NS, HALF_NS, true), known, "and is used again when that one is back");
    cr_assert_eq(tickrate_next(0, HALF_NS, HALF_NS, false), 0);
}

/* ---- a real counter, and a file in place of the kernel's ---- */

static struct tickrate rate;
static au64 tick;
static char source[] = "/tmp/registryd-test-tickrate-XXXXXX";

static void kernel_uses(const char *name)
{
    FILE *file = fopen(source, "w");
    cr_assert(file && fprintf(file, "%s\n", name) > 0 && fclose(file) == 0);
}

/* Counters of other processors may differ, where the kernel does not use them. */
static void stay_here(void)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    cr_assert_eq(sched_setaffinity(0, sizeof here, &here), 0);
}

static void begin(void)
{
    int fd = mkstemp(source);
    cr_assert(fd >= 0);
    close(fd);
    kernel_uses(TICKS_SOURCE);
    tickrate_start(&rate, source);
    stay_here();
}

static void end(void)
{
    tickrate_stop(&rate);
    unlink(source);
}

/* Busy, for a counter may stand still with its processor. */
static void pass(uint64_t ns)
{
    for (uint64_t began = clock_read_ns(CLOCK_MONOTONIC); clock_read_ns(CLOCK_MONOTONIC) - began < ns;)
        ;
}

/* A machine that is busy with something else may need some more of them. */
static void measure(void)
{
    for (int i = 0; i < 100 && !(tick & TICK_USED); i++) {
        pass(1000000);
        tickrate_turn(&rate, &tick);
    }
}

TestSuite(ticks, .init = begin, .fini = end);

#ifdef __x86_64__
Test(ticks, are_as_long_as_the_clock_says)
{
    measure();
    cr_assert(tick & TICK_USED);
    uint64_t outer = clock_read_ns(CLOCK_MONOTONIC), began = ticks_now(), inner = clock_read_ns(CLOCK_MONOTONIC);
    pass(PASS_NS);
    inner = clock_read_ns(CLOCK_MONOTONIC) - inner;
    uint64_t took = ticks_ns(ticks_now() - began, tick);
    outer = clock_read_ns(CLOCK_MONOTONIC) - outer;
    cr_assert(took >= inner - inner / 200 && took <= outer + outer / 200, "%llu to %llu ns are %llu",
              (unsigned long long)inner, (unsigned long long)outer, (unsigned long long)took);
}

Test(ticks, time_precise_calls_and_no_others)
{
    measure();
    cr_assert(clock_started(PRECISE, tick) & STARTED_TICKS);
    cr_assert(!(clock_started(PRECISE, tick & ~TICK_USED) & STARTED_TICKS));
    cr_assert(!(clock_started(PRECISE, 0) & STARTED_TICKS));
    cr_assert(!(clock_started(COARSE, tick) & STARTED_TICKS));
}

/* The coarse clock is behind: by 10 ms, or by what somebody else had the processor for. */
static void expect_took(uint64_t began, uint64_t started, uint64_t commit, uint64_t length)
{
    uint64_t took = clock_took_ns(commit, length, started), most = clock_read_ns(CLOCK_MONOTONIC) - began;
    cr_expect(took >= PASS_NS / 4 && took <= most + most / 200, "%llu ns, of at most %llu", (unsigned long long)took,
              (unsigned long long)most);
}

/* Whatever becomes of the kernel's clock and of the policy while the call is under way. */
Test(ticks, a_call_ends_by_the_clock_that_it_began_with)
{
    measure();
    uint64_t began = clock_read_ns(CLOCK_MONOTONIC), by_ticks = clock_started(PRECISE, tick),
             by_clock = clock_started(PRECISE, 0);
    pass(PASS_NS);
    expect_took(began, by_ticks, PRECISE, tick);
    expect_took(began, by_ticks, PRECISE, tick & ~TICK_USED);
    expect_took(began, by_ticks, COARSE, tick);
    expect_took(began, by_clock, PRECISE, tick);
    expect_took(began, by_clock, PRECISE, 0);
    expect_took(began, by_clock, COARSE, tick);
}

Test(ticks, a_counter_that_was_set_back_makes_a_short_call_of_it)
{
    measure();
    cr_assert_eq(clock_took_ns(PRECISE, tick, (ticks_now() + (UINT64_C(1) << 40)) | STARTED_TICKS), 0);
}

Test(ticks, are_used_as_long_as_the_kernel_does)
{
    measure();
    cr_assert(tick & TICK_USED);
    kernel_uses("hpet");
    tickrate_turn(&rate, &tick);
    cr_assert(!(tick & TICK_USED) && tick != 0);
    kernel_uses(TICKS_SOURCE);
    for (int i = 0; i < 2; i++) { /* when it begins, and the first measurement */
        pass(1000000);
        tickrate_turn(&rate, &tick);
        cr_assert(!(tick & TICK_USED));
    }
    measure();
    cr_assert(tick & TICK_USED);
}
#endif

Test(ticks, are_not_used_when_nobody_says_what_the_kernel_uses)
{
    tickrate_stop(&rate);
    tickrate_start(&rate, "/nonexistent/clocksource");
    measure();
    cr_assert_eq(tick, 0);
}

Test(ticks, are_not_used_with_another_clock)
{
    kernel_uses("kvm-clock");
    measure();
    cr_assert_eq(tick, 0);
}

/* ---- the clock of the gate ---- */

Test(clock, the_direct_way_leads_to_the_same_clock)
{
    uint64_t before = clock_read_ms(CLOCK_MONOTONIC_COARSE), direct = clock_coarse_ms();
    cr_assert(before <= direct && direct <= clock_read_ms(CLOCK_MONOTONIC_COARSE));
    struct timespec t = {0};
    cr_assert_eq(clock_reader_direct(CLOCK_MONOTONIC_COARSE, &t), 0);
    cr_assert(t.tv_sec > 0 || t.tv_nsec > 0);
}

#if defined(__x86_64__) || defined(__aarch64__)
Test(clock, the_direct_way_is_found)
{
    cr_assert_eq(clock_reader_direct == clock_gettime, getauxval(AT_SYSINFO_EHDR) == 0);
}
#endif
