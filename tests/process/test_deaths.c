/*
 * How soon a call whose process has ended is counted as abandoned, whatever the end was, and one that hangs as overdue.
 * Each is measured often: the middle one must keep what is promised (100 ms, 50 ms), the worst may be as late as a busy
 * machine makes it.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cbclient.h"
#include "tests/process/await.h"

#define TIMES        9
#define ABANDONED_US 100000
#define OVERDUE_US   50000
#define WORST_US     5000000
#define POLICY       "failure_threshold=1000000"

static struct daemon host;
static cb_registry *registry;
static cb_breaker *breaker;
static _Atomic uint64_t *ended_us; /* shared: just before the end */

static void begin(void)
{
    daemon_start(&host, NULL);
    ended_us = mmap(NULL, sizeof *ended_us, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(cb_get_or_create(registry, "dependency", POLICY, &breaker), 0, "%s", cb_last_error());
}

static void end(void)
{
    cb_detach(&registry);
    munmap((void *)ended_us, sizeof *ended_us);
    daemon_stop(&host);
}

TestSuite(deaths, .init = begin, .fini = end);

static struct cb_snapshot counts(void)
{
    struct cb_snapshot snapshot;
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot), 0);
    return snapshot;
}

/* ---- ends ---- */

static void killed(void)
{
    raise(SIGKILL);
}
static void segfault(void)
{
    signal(SIGSEGV, SIG_DFL); /* a sanitizer's report takes longer than dying */
    raise(SIGSEGV);
}
static void aborted(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}
static void returns(void)
{
    exit(3);
}
static void leaves(void)
{
    _exit(3);
}
static void becomes_another_program(void)
{
    execlp("sleep", "sleep", "60", (char *)NULL);
}

static void ends_in_its_call(void *arg)
{
    void (**how)(void) = arg;
    cb_registry *own;
    cb_breaker *called;
    cb_permit permit;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    child_check(cb_attach(host.registry, &own) == 0);
    child_check(cb_get(own, "dependency", &called) == 0);
    child_check(cb_acquire(called, &permit) == CB_ADMITTED);
    *ended_us = now_us();
    (*how)();
    _exit(4);
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void judge(const char *what, uint64_t *times, uint64_t promised_us)
{
    qsort(times, TIMES, sizeof *times, by_size);
    uint64_t middle = times[TIMES / 2], worst = times[TIMES - 1];
    cr_expect_lt(middle, promised_us, "%s: after %" PRIu64 " us, the middle one of %d", what, middle, TIMES);
    cr_expect_lt(worst, WORST_US, "%s: after %" PRIu64 " us", what, worst);
}

static uint64_t abandoned_after(void (*how)(void))
{
    uint64_t before = counts().abandoned;
    pid_t child = fork_child(ends_in_its_call, (void *)&how);
    wait_until(counts().abandoned > before);
    uint64_t took = now_us() - *ended_us;
    kill(child, SIGKILL);
    child_wait(child);
    cr_assert_eq(counts().abandoned, before + 1, "once");
    cr_assert_eq(counts().in_flight, 0);
    return took;
}

Test(deaths, every_end_of_a_program_in_its_call_is_counted_within_100_ms)
{
    static const struct {
        const char *what;
        void (*how)(void);
    } ends[] = {{"SIGKILL", killed}, {"segfault", segfault}, {"abort", aborted},
                {"exit", returns},   {"_exit", leaves},      {"exec", becomes_another_program}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        uint64_t times[TIMES];
        for (int n = 0; n < TIMES; n++)
            times[n] = abandoned_after(ends[i].how);
        judge(ends[i].what, times, ABANDONED_US);
    }
}

/* ---- a probe ---- */

static void trip_and_wait(void)
{
    cr_assert_eq(cb_trip(breaker, NULL), 0, "%s", cb_last_error());
    wait_until(cb_retry_after_ms(breaker) == 0);
}

Test(deaths, a_dead_probe_opens_the_breaker_within_100_ms)
{
    static void (*const ends[])(void) = {killed, becomes_another_program};
    cr_assert_eq(cb_set_policy(breaker, "open_timeout=100ms half_open_timeout=5m backoff_multiplier=100"), 0);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        uint64_t times[TIMES];
        for (int n = 0; n < TIMES; n++) {
            void (*how)(void) = ends[i];
            cr_assert_eq(cb_reset(breaker, NULL), 0);
            trip_and_wait();
            *ended_us = 0;
            pid_t child = fork_child(ends_in_its_call, (void *)&how);
            wait_until(*ended_us != 0 && cb_retry_after_ms(breaker) > 0); /* the next backoff: 10 s */
            times[n] = now_us() - *ended_us;
            kill(child, SIGKILL);
            child_wait(child);
            cr_assert_eq(cb_state_of(breaker), CB_OPEN);
        }
        judge("probe", times, ABANDONED_US);
    }
}

/* ---- hanging ---- */

Test(deaths, a_hanging_call_is_overdue_within_50_ms_of_its_time)
{
    const uint64_t timeout_us = 60000;
    uint64_t times[TIMES];
    cr_assert_eq(cb_set_policy(breaker, POLICY " call_timeout=60ms"), 0, "%s", cb_last_error());
    for (int n = 0; n < TIMES; n++) {
        cb_permit permit;
        uint64_t before = counts().overdue, began = now_us();
        cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
        wait_until(counts().overdue > before);
        uint64_t took = now_us() - began;
        cr_assert_gt(took, timeout_us - 10000, "not before, but for the kernel's tick");
        times[n] = took > timeout_us ? took - timeout_us : 0;
        cr_assert_eq(cb_failure(&permit), CB_EOVERDUE, "still hanging, and counted already");
        cr_assert_eq(counts().failures, 0);
    }
    judge("overdue", times, OVERDUE_US);
}
