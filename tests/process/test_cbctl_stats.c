/* cbctl stats: what it says of calls that this process makes. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cbclient.h"
#include "tests/harness.h"

static struct daemon registry;
static cb_registry *handle;

static void begin(void)
{
    daemon_start(&registry, (char *)NULL);
    setenv("CB_REGISTRY", registry.registry, 1);
    setenv("CBCTL", CBCTL_PATH, 1);
    setenv("LC_ALL", "C", 1);
    cr_assert_eq(cb_attach(NULL, &handle), 0, "%s", cb_last_error());
}

static void end(void)
{
    cb_detach(&handle);
    daemon_stop(&registry);
}

TestSuite(cbctl_stats, .init = begin, .fini = end);

static cb_breaker *breaker_of(const char *name, const char *policy)
{
    cb_breaker *breaker;
    cr_assert_eq(cb_get_or_create(handle, name, policy, &breaker), 0, "%s", cb_last_error());
    return breaker;
}

static void calls_make(cb_breaker *breaker, unsigned count, enum cb_outcome outcome, uint64_t took_ms)
{
    cb_permit permit;
    for (unsigned i = 0; i < count; i++) {
        cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
        cr_assert_eq(cb_settle(&permit, outcome, took_ms * 1000000), 0);
    }
}

/* `command` ends with `status`; its output is for output_free(). */
static struct output shell(const char *command, int status)
{
    struct output output;
    run(&output, "bash", "-o", "pipefail", "-c", command, (char *)NULL);
    cr_assert_eq(output.status, status, "%s: %d\n%s%s", command, output.status, output.out, output.err);
    return output;
}

static void expect_true(const char *json, const char *query)
{
    char command[1024];
    setenv("JSON", json, 1);
    snprintf(command, sizeof command, "jq -e '%s' <<<\"$JSON\"", query);
    struct output output = shell(command, 0);
    output_free(&output);
}

Test(cbctl_stats, counts_and_percentiles_are_those_of_the_calls)
{
    cb_breaker *breaker = breaker_of("db", "failure_threshold=1000 timing=precise slow_call_duration=100ms");
    cb_permit held;
    calls_make(breaker, 890, CB_SUCCESS, 1);
    calls_make(breaker, 100, CB_SUCCESS, 150);
    calls_make(breaker, 10, CB_FAILURE, 3000);
    cr_assert_eq(cb_acquire(breaker, &held), CB_ADMITTED);
    struct output output = shell("\"$CBCTL\" stats db --for 1ms --json", 0);
    expect_true(output.out, ".counts.successes == 990 and .counts.failures == 10 and .counts.slow == 110");
    expect_true(output.out, ".counts.in_flight == 1 and .latency.count == 1000 and .latency_recent == null");
    expect_true(output.out, ".latency.p50_us >= 1000 and .latency.p50_us <= 1500");
    expect_true(output.out, ".latency.p90_us >= 150000 and .latency.p90_us <= 225000");
    expect_true(output.out, ".latency.slowest_us >= 3000000 and .latency.slowest_us <= 4500000");
    expect_true(output.out, "([.histogram[].calls] | add) == 1000 and (.histogram | length) == 3");
    expect_true(output.out, "[.per_second[]] | add == 0");
    output_free(&output);
    output = shell("\"$CBCTL\" stats db --for 1ms", 0);
    cr_expect(strstr(output.out, "db  closed  1 in flight"), "%s", output.out);
    cr_expect(strstr(output.out, "ok                           0.0  0.0%    990 99.0%"), "%s", output.out);
    cr_expect(strstr(output.out, "slowest"), "%s", output.out);
    cr_expect(strstr(output.out, "########################################"), "%s", output.out);
    output_free(&output);
    cr_assert_eq(cb_success(&held), 0);
}

static void fail_for_ever(void *arg)
{
    cb_registry *own;
    cb_breaker *breaker;
    cb_permit permit;
    child_check(cb_attach(arg, &own) == 0 && cb_get(own, "busy", &breaker) == 0);
    for (;;)
        child_check(cb_acquire(breaker, &permit) == CB_ADMITTED && cb_settle(&permit, CB_FAILURE, 1000) == 0);
}

Test(cbctl_stats, rates_are_those_of_the_measured_time)
{
    cb_breaker *breaker = breaker_of("busy", "failure_threshold=0 window=count:10 failure_rate_threshold=100 "
                                             "timing=precise");
    calls_make(breaker, 1000, CB_SUCCESS, 1000); /* before: no part of the rates */
    cr_assert_eq(cb_override(breaker, CB_METRICS_ONLY, 0, NULL), 0);
    pid_t child = fork_child(fail_for_ever, registry.registry);
    struct output output =
        shell("until JSON=$(\"$CBCTL\" stats busy --for 100ms --json) &&" /* until it is at work */
              " jq -e '.per_second.failures > 0' <<<\"$JSON\" >/dev/null; do :; done; echo \"$JSON\"",
              0);
    kill(child, SIGKILL);
    child_wait(child);
    expect_true(output.out, ".per_second.failures > 10 * .per_second.successes");
    expect_true(output.out, ".measured_ms >= 100 and .latency_recent.p50_us < 10");
    expect_true(output.out, ".latency_recent.count / .per_second.failures * 1000 | . > 50 and . < 10000");
    output_free(&output);
}

Test(cbctl_stats, says_what_is_missing)
{
    breaker_of("plain", NULL);
    struct output output = shell("\"$CBCTL\" stats plain --for 1ms", 0);
    cr_expect(strstr(output.out, "No call was timed: see `timing`"), "%s", output.out);
    output_free(&output);
    output = shell("\"$CBCTL\" stats nobody", 3);
    cr_expect(strstr(output.err, "no breaker 'nobody'"), "%s", output.err);
    output_free(&output);
    output = shell("\"$CBCTL\" stats plain --for soon", 2);
    output_free(&output);
}
