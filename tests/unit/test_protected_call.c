/* cb_call: the breaker's answer and the operation's value never get mixed up. */
#include <criterion/criterion.h>
#include <limits.h>

#include "cbclient.h"

static cb_registry *registry;
static cb_breaker *breaker;

static void start(const char *policy)
{
    cr_assert_eq(cb_virtual_open(&registry), 0);
    cr_assert_eq(cb_get_or_create(registry, "upstream", policy, &breaker), 0, "%s", cb_last_error());
}

static void stop(void)
{
    cb_detach(&registry);
}

static unsigned ran;

/* An operation whose value is its argument. */
static int returns(void *arg)
{
    ran++;
    return *(int *)arg;
}

static struct cb_snapshot counts(void)
{
    struct cb_snapshot out;
    cr_assert_eq(cb_snapshot_of(breaker, &out, sizeof out), 0);
    return out;
}

/* Values that mean something to the breaker, or look as if they did. */
static int errors[] = {
    CB_REJECTED_OPEN, CB_REJECTED_PROBES, CB_REJECTED_CONCURRENCY, CB_POLICY_DIFFERS, -1, CB_ENODAEMON, CB_ESETTLED,
    INT_MAX,          INT_MIN + 1};
#define ERRORS (sizeof errors / sizeof *errors)

Test(protected_call, an_operations_error_is_its_own, .fini = stop)
{
    start("failure_threshold=1000");
    for (size_t i = 0; i < ERRORS; i++) {
        int result = 12345;
        cr_assert_eq(cb_call(breaker, returns, &errors[i], &result), CB_ADMITTED, "an error of %d", errors[i]);
        cr_assert_eq(result, errors[i]);
    }
    cr_assert_eq(counts().failures, ERRORS);
    cr_assert_eq(counts().rejected, 0);
    cr_assert_eq(counts().state, CB_CLOSED);
}

Test(protected_call, the_call_that_trips_still_has_its_own_error, .fini = stop)
{
    int error = 7, result = 0;
    start("failure_threshold=1");
    cr_assert_eq(cb_call(breaker, returns, &error, &result), CB_ADMITTED);
    cr_assert_eq(result, 7);
    cr_assert_eq(cb_state_of(breaker), CB_OPEN);
}

Test(protected_call, a_rejected_call_does_not_run_and_leaves_the_result, .fini = stop)
{
    int error = 7, result = 12345;
    start("failure_threshold=1");
    cb_call(breaker, returns, &error, NULL);
    ran = 0;
    cr_assert_eq(cb_call(breaker, returns, &error, &result), CB_REJECTED_OPEN);
    cr_assert_eq(ran, 0);
    cr_assert_eq(result, 12345);
    cr_assert_eq(counts().failures, 1);
}

Test(protected_call, success_and_ignore_are_told_apart, .fini = stop)
{
    int fine = 0, neutral = CB_IGNORE, result = 1;
    start("failure_threshold=1");
    cr_assert_eq(cb_call(breaker, returns, &fine, &result), CB_ADMITTED);
    cr_assert_eq(result, 0);
    cr_assert_eq(cb_call(breaker, returns, &neutral, &result), CB_ADMITTED);
    cr_assert_eq(result, CB_IGNORE);
    cr_assert_eq(counts().successes, 1);
    cr_assert_eq(counts().ignored, 1);
    cr_assert_eq(counts().failures, 0);
    cr_assert_eq(counts().in_flight, 0);
}

static int falls_back(void *arg)
{
    (void)arg;
    return 99;
}

Test(protected_call, a_fallback_never_hides_the_answer, .fini = stop)
{
    int error = CB_REJECTED_OPEN, fine = 0, result = 0;
    start("failure_threshold=1");
    cr_assert_eq(cb_call_with_fallback(breaker, returns, falls_back, &fine, &result), CB_ADMITTED);
    cr_assert_eq(result, 0);
    cr_assert_eq(cb_call_with_fallback(breaker, returns, falls_back, &error, &result), CB_ADMITTED);
    cr_assert_eq(result, 99);
    result = 0;
    cr_assert_eq(cb_call_with_fallback(breaker, returns, falls_back, &fine, &result), CB_REJECTED_OPEN);
    cr_assert_eq(result, 99);
    cr_assert_eq(counts().failures, 1);
}

Test(protected_call, retries_are_calls_and_stop_at_the_rejection, .fini = stop)
{
    int error = 5, result = 0;
    struct cb_retry retry = {.max_attempts = 10, .wait_ms = 1, .max_wait_ms = 1};
    start("failure_threshold=3");
    ran = 0;
    cr_assert_eq(cb_call_with_retry(breaker, returns, &error, &retry, &result), CB_REJECTED_OPEN);
    cr_assert_eq(result, 5, "the last attempt's value");
    cr_assert_eq(ran, 3);
    cr_assert_eq(counts().failures, 3);
    cr_assert_eq(counts().rejected, 1);
}
