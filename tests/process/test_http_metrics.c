/* What /metrics says: the right numbers in both formats, and counters that never run backwards. */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/panel.h"
#include "libcbclient/cbclient.h"
#include "tests/process/web.h"

static struct daemon daemon_;
static unsigned port;

static void setup(void)
{
    daemon_start(&daemon_, "--http", "0", "--capacity", "64", NULL);
    port = web_port(&daemon_);
}

static void teardown(void)
{
    daemon_stop(&daemon_);
}

TestSuite(http_metrics, .init = setup, .fini = teardown, .timeout = 60);

static void scrape(struct web *web)
{
    web_get(web, port, "/metrics");
    cr_assert(web->status == 200, "%d", web->status);
}

/* The value of the sample that is written like this; NAN: there is none. */
static double value_of(const struct web *web, const char *sample)
{
    char line[256];
    snprintf(line, sizeof line, "\n%s ", sample);
    const char *at = strstr(web->body, line);
    return at ? strtod(at + strlen(line), NULL) : (double)NAN;
}

static void expect_value(const struct web *web, const char *sample, double value)
{
    cr_expect(value_of(web, sample) == value, "%s: %g, not %g", sample, value_of(web, sample), value);
}

static cb_registry *attach(void)
{
    cb_registry *registry;
    cr_assert(cb_attach(daemon_.registry, &registry) == 0, "%s", cb_last_error());
    return registry;
}

static cb_breaker *breaker_make(cb_registry *registry, const char *name, const char *policy)
{
    cb_breaker *breaker;
    cr_assert(cb_get_or_create(registry, name, policy, &breaker) == 0, "%s", cb_last_error());
    return breaker;
}

static void settle(cb_breaker *breaker, enum cb_outcome outcome, uint64_t took_ns)
{
    cb_permit permit;
    cr_assert(cb_acquire(breaker, &permit) == CB_ADMITTED);
    cr_assert(cb_settle(&permit, outcome, took_ns) == 0);
}

/* ---- the numbers ---- */

Test(http_metrics, every_count_is_there)
{
    struct web web;
    cb_permit held, none;
    cb_registry *registry = attach();
    cb_breaker *breaker = breaker_make(registry, "a/b", "failure_threshold=3 slow_call_duration=1s max_concurrent=1");
    settle(breaker, CB_SUCCESS, 1000000);
    settle(breaker, CB_SUCCESS, 40000000000);
    settle(breaker, CB_IGNORED, 0);
    settle(breaker, CB_ABANDONED, 0);
    cr_assert(cb_acquire(breaker, &held) == CB_ADMITTED && cb_acquire(breaker, &none) == CB_REJECTED_CONCURRENCY);
    scrape(&web);
    expect_value(&web, "cb_breaker_in_flight{breaker=\"a/b\"}", 1);
    expect_value(&web, "cb_registry_lane_chunks", 1);
    web_free(&web);
    cb_failure(&held);
    settle(breaker, CB_FAILURE, 2000000);
    cr_assert(cb_acquire(breaker, &none) == CB_REJECTED_OPEN);
    scrape(&web);
    expect_value(&web, "cb_breaker_state{breaker=\"a/b\",state=\"open\"}", 1);
    expect_value(&web, "cb_breaker_state{breaker=\"a/b\",state=\"closed\"}", 0);
    expect_value(&web, "cb_breaker_calls_total{breaker=\"a/b\",outcome=\"success\"}", 2);
    expect_value(&web, "cb_breaker_calls_total{breaker=\"a/b\",outcome=\"failure\"}", 2);
    expect_value(&web, "cb_breaker_calls_total{breaker=\"a/b\",outcome=\"ignored\"}", 1);
    expect_value(&web, "cb_breaker_calls_total{breaker=\"a/b\",outcome=\"abandoned\"}", 1);
    expect_value(&web, "cb_breaker_calls_total{breaker=\"a/b\",outcome=\"overdue\"}", 0);
    expect_value(&web, "cb_breaker_slow_calls_total{breaker=\"a/b\"}", 1);
    expect_value(&web, "cb_breaker_rejections_total{breaker=\"a/b\",kind=\"open\"}", 1);
    expect_value(&web, "cb_breaker_rejections_total{breaker=\"a/b\",kind=\"concurrency\"}", 1);
    expect_value(&web, "cb_breaker_transitions_total{breaker=\"a/b\"}", 1);
    expect_value(&web, "cb_breaker_in_flight{breaker=\"a/b\"}", 0);
    expect_value(&web, "cb_breaker_override{breaker=\"a/b\"}", 0);
    double left = value_of(&web, "cb_breaker_retry_after_seconds{breaker=\"a/b\"}");
    cr_expect(left > 15 && left <= 30, "%g", left);
    expect_value(&web, "cb_registry_breakers", 1);
    expect_value(&web, "cb_registry_breakers_max", 64);
    expect_value(&web, "cb_registry_workers", 1);
    web_free(&web);
    cb_detach(&registry);
}

Test(http_metrics, durations_are_a_histogram)
{
    struct web web;
    cb_registry *registry = attach();
    cb_breaker *breaker = breaker_make(registry, "timed", "timing=precise");
    breaker_make(registry, "untimed", "");
    settle(breaker, CB_SUCCESS, 1000);
    settle(breaker, CB_SUCCESS, 1000000);
    settle(breaker, CB_FAILURE, 1000000000);
    settle(breaker, CB_SUCCESS, 40000000000);
    scrape(&web);
    expect_value(&web, "cb_breaker_call_duration_seconds_bucket{breaker=\"timed\",le=\"3.2768e-05\"}", 1);
    expect_value(&web, "cb_breaker_call_duration_seconds_bucket{breaker=\"timed\",le=\"0.000524288\"}", 1);
    expect_value(&web, "cb_breaker_call_duration_seconds_bucket{breaker=\"timed\",le=\"0.001048576\"}", 2);
    expect_value(&web, "cb_breaker_call_duration_seconds_bucket{breaker=\"timed\",le=\"1.07374182\"}", 3);
    expect_value(&web, "cb_breaker_call_duration_seconds_bucket{breaker=\"timed\",le=\"34.3597384\"}", 3);
    expect_value(&web, "cb_breaker_call_duration_seconds_bucket{breaker=\"timed\",le=\"+Inf\"}", 4);
    expect_value(&web, "cb_breaker_call_duration_seconds_count{breaker=\"timed\"}", 4);
    double sum = value_of(&web, "cb_breaker_call_duration_seconds_sum{breaker=\"timed\"}");
    cr_expect(fabs(sum - 41.001) < 41.001 / 4, "%g", sum);
    cr_expect(strstr(web.body, "call_duration_seconds_count{breaker=\"untimed\"}") == NULL);
    web_free(&web);
    cb_detach(&registry);
}

Test(http_metrics, an_override_shows_and_has_no_end)
{
    struct web web;
    cb_registry *registry = attach();
    cb_breaker *breaker = breaker_make(registry, "db", NULL);
    cr_assert(cb_override(breaker, CB_FORCED_OPEN, 0, NULL) == 0);
    scrape(&web);
    expect_value(&web, "cb_breaker_override{breaker=\"db\"}", 1);
    expect_value(&web, "cb_breaker_retry_after_seconds{breaker=\"db\"}", (double)INFINITY);
    web_free(&web);
    cb_detach(&registry);
}

/* ---- the formats ---- */

static void expect_format(const char *headers, bool open)
{
    struct web web;
    char type[256];
    web_ask(&web, port, "GET /metrics", headers, NULL);
    web_header(&web, "Content-Type", type);
    const char *end = web.length > 6 ? web.body + web.length - 6 : "";
    cr_expect(strcmp(type, open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                : "text/plain; version=0.0.4; charset=utf-8") == 0,
              "%s: %s", headers, type);
    cr_expect((strcmp(end, "# EOF\n") == 0) == open, "%s: ends with %s", headers, end);
    cr_expect((strstr(web.body, "# TYPE cb_breaker_calls counter\n") != NULL) == open);
    cr_expect((strstr(web.body, "# TYPE cb_breaker_calls_total counter\n") != NULL) != open);
    web_free(&web);
}

Test(http_metrics, who_knows_only_the_older_format_gets_that)
{
    expect_format("", true);
    expect_format("Accept: */*\r\n", true);
    expect_format(
        "Accept: application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n", true);
    expect_format("Accept: text/plain\r\n", false);
    expect_format("Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n", false);
}

/* A counter that is made anew says so. */
Test(http_metrics, a_breaker_that_is_made_anew_has_another_beginning)
{
    static const char sample[] = "cb_breaker_calls_created{breaker=\"db\",outcome=\"success\"}";
    struct web web;
    struct timespec pause = {.tv_nsec = 5000000};
    cb_registry *registry = attach();
    cb_breaker *breaker = breaker_make(registry, "db", NULL);
    scrape(&web);
    double first = value_of(&web, sample);
    web_free(&web);
    cr_expect(fabs(first - (double)time(NULL)) < 60, "%f", first);
    cr_assert(cb_remove(breaker, NULL) == 0);
    nanosleep(&pause, NULL);
    breaker_make(registry, "db", NULL);
    scrape(&web);
    cr_expect(value_of(&web, sample) > first, "%f, then %f", first, value_of(&web, sample));
    web_free(&web);
    cb_detach(&registry);
}

/* ---- across the daemon's deaths ---- */

/* A timed failure that is half counted looks like a success; when it is wholly counted, nobody must see one fewer. */
Test(http_metrics, successes_that_were_told_stay_so)
{
    static const char sample[] = "cb_breaker_calls_total{breaker=\"db\",outcome=\"success\"}";
    char error[SEGMENT_ERROR_SIZE];
    struct segment segment;
    struct web web;
    cb_registry *registry = attach();
    cb_breaker *breaker = breaker_make(registry, "db", "timing=precise");
    settle(breaker, CB_SUCCESS, 1000000);
    cr_assert(segment_open(daemon_.registry, false, &segment, error) == 0, "%s", error);
    int64_t slot = panel_find(&segment, "db");
    cr_assert(slot >= 0);
    struct stripe *stripe = segment_stripe(&segment, (uint32_t)slot, 0);
    atomic_fetch_add(&stripe->latency[7], 1);
    scrape(&web);
    expect_value(&web, sample, 2);
    web_free(&web);
    atomic_fetch_add(&stripe->timed_otherwise, 1);
    for (int life = 0; life < 2; life++) {
        scrape(&web);
        expect_value(&web, sample, 2);
        web_free(&web);
        daemon_kill(&daemon_);
        daemon_restart(&daemon_);
        port = web_port(&daemon_);
    }
    settle(breaker, CB_SUCCESS, 1000000);
    settle(breaker, CB_SUCCESS, 1000000);
    scrape(&web);
    expect_value(&web, sample, 3);
    web_free(&web);
    segment_close(&segment);
    cb_detach(&registry);
}

static void work(void *arg)
{
    cb_registry *registry;
    cb_breaker *breaker;
    (void)arg;
    child_check(cb_attach(daemon_.registry, &registry) == 0);
    child_check(cb_get(registry, "busy", &breaker) == 0);
    for (unsigned i = 0;; i++) {
        cb_permit permit;
        if (cb_acquire(breaker, &permit) == CB_ADMITTED)
            i % 4 ? cb_success(&permit) : cb_failure(&permit);
    }
}

/* A port of its own for all its lives. */
static void daemon_keep_port(void)
{
    free(daemon_.extra[1]);
    cr_assert(asprintf(&daemon_.extra[1], "%u", port) > 0);
}

Test(http_metrics, counters_never_run_backwards)
{
    enum { LIVES = 8, SCRAPES = 12 };
    static const char *const samples[] = {"cb_breaker_calls_total{breaker=\"busy\",outcome=\"success\"}",
                                          "cb_breaker_calls_total{breaker=\"busy\",outcome=\"failure\"}",
                                          "cb_breaker_calls_created{breaker=\"busy\",outcome=\"failure\"}"};
    double before[3] = {0, 0, 0};
    cb_registry *registry = attach();
    breaker_make(registry, "busy", "failure_threshold=1000 timing=precise");
    cb_detach(&registry);
    daemon_keep_port();
    pid_t workers[2] = {fork_child(work, NULL), fork_child(work, NULL)};
    for (int life = 0; life < LIVES; life++) {
        for (int grown = 0; grown < SCRAPES;) {
            struct web web;
            double first = before[0];
            scrape(&web);
            for (size_t j = 0; j < 3; j++) {
                double now = value_of(&web, samples[j]);
                cr_assert(now >= before[j], "life %d: %s: %.0f after %.0f", life, samples[j], now, before[j]);
                before[j] = now;
            }
            grown += before[0] > first;
            web_free(&web);
        }
        daemon_kill(&daemon_);
        daemon_restart(&daemon_);
    }
    for (size_t i = 0; i < 2; i++) {
        kill(workers[i], SIGKILL);
        child_wait(workers[i]);
    }
    cr_expect(before[0] > 1000 && before[1] > 60, "%.0f successes, %.0f failures", before[0], before[1]);
}
