/*
 * The wall clock set a year ahead and back, under the daemon, cbctl and this test (a worker): whatever asks libc for
 * CLOCK_REALTIME, time() or gettimeofday() sees it jump, at once. Timers of the kernel that follow the wall clock would
 * not; there are none (the last test looks).
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "cbclient.h"
#include "tests/breakers.h"
#include "tests/harness.h"
#include "tests/process/wallshift.h"

#define YEAR_MS  (INT64_C(365) * 24 * 3600 * 1000)
#define SLACK_MS 1000 /* of a busy machine */

static struct daemon host;
static cb_registry *registry;
static char path[160];
static _Atomic int64_t *ahead_ms;

static void start(void)
{
    char shift[64];
    int file = memfd_create("wall clock", 0);
    cr_assert(file >= 0 && ftruncate(file, 4096) == 0);
    snprintf(shift, sizeof shift, "/proc/%d/fd/%d", (int)getpid(), file);
    ahead_ms = wallshift_use(shift);
    cr_assert(ahead_ms);
    setenv(WALLSHIFT_VARIABLE, shift, 1);
    setenv("LD_PRELOAD", WALLSHIFT_PATH, 1);
    daemon_start(&host, "--capacity", "16", NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
}

static void stop(void)
{
    cb_detach(&registry);
    daemon_stop(&host);
}

TestSuite(clock_jumps, .init = start, .fini = stop);

static void jump(int64_t ms)
{
    time_t before = time(NULL);
    *ahead_ms += ms;
    int64_t jumped = (time(NULL) - before) * 1000;
    cr_assert(jumped >= ms && jumped < ms + 60000, "the clock has jumped by %lld ms", (long long)jumped);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Back and forth around an act's whole time: it takes as long as without. */
static void expect_ends_after(int64_t ms, int64_t began, bool (*is_over)(void))
{
    int64_t direction = 1;
    for (jump(YEAR_MS); !is_over(); poll(NULL, 0, 5)) {
        jump(direction * -2 * YEAR_MS);
        direction = -direction;
        cr_assert(now_ms() - began < ms + SLACK_MS, "it has not ended after %lld ms", (long long)(now_ms() - began));
    }
    cr_expect(now_ms() - began >= ms - 10, "it has ended after %lld ms", (long long)(now_ms() - began));
}

/* ---- breakers ---- */

static cb_breaker *subject;

static bool is_admitted(void)
{
    cb_permit permit;
    return cb_acquire(subject, &permit) == CB_ADMITTED && cb_success(&permit) == 0;
}

Test(clock_jumps, an_open_breaker_stays_open_for_its_time)
{
    subject = breaker_created(registry, "a", "open_timeout=300ms");
    int64_t began = now_ms();
    cr_assert_eq(cb_trip(subject, ""), 0);
    expect_ends_after(300, began, is_admitted);
}

Test(clock_jumps, an_override_lasts_for_its_time)
{
    subject = breaker_created(registry, "a", "");
    int64_t began = now_ms();
    cr_assert_eq(cb_override(subject, CB_FORCED_OPEN, 300, "for 300 ms"), 0);
    expect_ends_after(300, began, is_admitted);
}

static bool is_overdue(void)
{
    return breaker_health(registry, "a").counts.overdue == 1;
}

Test(clock_jumps, a_call_is_overdue_at_its_time)
{
    cb_permit permit;
    subject = breaker_created(registry, "a", "call_timeout=300ms");
    int64_t began = now_ms();
    cr_assert_eq(cb_acquire(subject, &permit), CB_ADMITTED);
    expect_ends_after(300, began, is_overdue);
    cr_expect_eq(cb_success(&permit), CB_EOVERDUE);
}

static bool is_window_empty(void)
{
    return breaker_health(registry, "a").window_calls == 0;
}

Test(clock_jumps, a_window_forgets_in_its_time)
{
    cb_permit permit;
    subject = breaker_created(registry, "a", "window=time:300ms failure_rate_threshold=50 timing=precise");
    int64_t began = now_ms();
    cr_assert_eq(cb_acquire(subject, &permit), CB_ADMITTED);
    jump(YEAR_MS);
    cr_assert_eq(cb_failure(&permit), 0);
    cr_expect_lt(breaker_health(registry, "a").latency_p99_us, 1000000);
    expect_ends_after(260, began, is_window_empty); /* in tenths of it */
}

/* ---- the state file, which has times of day ---- */

static const char *content(void)
{
    static char text[4096];
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = '\0';
    if (file)
        fclose(file);
    return text;
}

static void wait_for(const char *text)
{
    int64_t until = now_ms() + HARNESS_DEADLINE_MS;
    for (; !strstr(content(), text); poll(NULL, 0, 5))
        cr_assert(now_ms() < until, "there is no \"%s\": %s", text, content());
}

/* The memory is gone, and when the host comes up its clock is wrong by so much. */
static void reboot(int64_t ms)
{
    struct output purge;
    cb_detach(&registry);
    if (host.pid)
        daemon_kill(&host);
    run(&purge, REGISTRYD_PATH, "--registry", host.registry, "--runtime-dir", host.dir, "--purge", (char *)NULL);
    cr_assert_eq(purge.status, 0, "%s", purge.err);
    output_free(&purge);
    jump(ms);
    daemon_restart(&host);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
}

/* "until=", as the file has it, of a moment so many milliseconds from now. */
static const char *until_text(int64_t ms)
{
    static char text[32];
    time_t moment = time(NULL) + ms / 1000;
    strftime(text, sizeof text, "until=%Y-%m-", gmtime(&moment));
    return text;
}

static void start_with_state(void)
{
    snprintf(path, sizeof path, "%s/state", host.dir);
    host.extra[2] = strdup("--state");
    host.extra[3] = strdup(path);
    host.extra[4] = NULL;
    reboot(0);
    cr_assert_eq(cb_override(breaker_created(registry, "a", ""), CB_FORCED_OPEN, 600000, "for 10 minutes"), 0);
    cr_assert_eq(cb_trip(breaker_created(registry, "b", "open_timeout=5m"), ""), 0);
    wait_for("state=open");
}

static void expect_left(void)
{
    struct cb_health a = breaker_health(registry, "a"), b = breaker_health(registry, "b");
    cr_expect(a.counts.state == CB_FORCED_OPEN && a.override_left_ms > 500000 && a.override_left_ms <= 600000,
              "%lld ms", (long long)a.override_left_ms);
    cr_expect(b.counts.state == CB_OPEN && b.retry_after_ms > 200000 && b.retry_after_ms <= 300000, "%lld ms",
              (long long)b.retry_after_ms);
}

Test(clock_jumps, a_clock_that_is_set_while_the_daemon_runs_changes_no_end_in_the_file)
{
    start_with_state();
    jump(YEAR_MS);
    wait_for(until_text(600000));
    reboot(0);
    expect_left();
    jump(-2 * YEAR_MS);
    wait_for(until_text(600000));
    reboot(0);
    expect_left();
}

Test(clock_jumps, a_clock_that_is_behind_after_a_reboot_prolongs_nothing)
{
    start_with_state();
    reboot(-YEAR_MS);
    expect_left();
}

Test(clock_jumps, a_clock_that_is_ahead_after_a_reboot_ends_what_has_an_end)
{
    start_with_state();
    cr_assert_eq(cb_override(breaker_created(registry, "c", ""), CB_DISABLED, 0, "no end"), 0);
    wait_for("state=disabled");
    reboot(YEAR_MS);
    cr_expect_eq(breaker_health(registry, "a").counts.state, CB_CLOSED);
    cr_expect_eq(breaker_health(registry, "b").counts.state, CB_HALF_OPEN); /* the next caller asks */
    cr_expect_eq(breaker_health(registry, "c").counts.state, CB_DISABLED);
}

/* ---- that nothing else goes by the wall clock ---- */

Test(clock_jumps, the_daemon_has_no_timer_that_follows_the_wall_clock)
{
    struct output output;
    char command[256];
    snprintf(command, sizeof command, "cat /proc/%d/fdinfo/* /proc/%d/timers 2>&1", (int)host.pid, (int)host.pid);
    run(&output, "sh", "-c", command, (char *)NULL);
    cr_expect(strstr(output.out, "eventfd") || strstr(output.out, "tfd:"), "%s", output.out); /* its loop is there */
    for (const char *clock = output.out; (clock = strstr(clock, "clockid: ")) != NULL; clock++)
        cr_expect_neq(atoi(clock + strlen("clockid: ")), CLOCK_REALTIME, "%s", output.out);
    cr_expect(strstr(output.out, "ClockID: 0") == NULL, "%s", output.out);
    output_free(&output);
}
