#include <errno.h>
#include <time.h>

#include "client.h"
#include "core/clock.h"

static struct cb_retry with_defaults(const struct cb_retry *given)
{
    struct cb_retry retry = given ? *given : (struct cb_retry){0};
    if (!retry.max_attempts)
        retry.max_attempts = 3;
    if (!retry.wait_ms)
        retry.wait_ms = 100;
    if (retry.multiplier == 0)
        retry.multiplier = 2;
    if (!retry.max_wait_ms)
        retry.max_wait_ms = 10000;
    if (!retry.jitter_percent)
        retry.jitter_percent = 20;
    return retry;
}

/* Spread between processes that failed at the same moment; the clock's low digits are random enough for that. */
static double jitter(double wait_ms, unsigned percent)
{
    double part = (double)(clock_read_ns(CLOCK_MONOTONIC) / 64 % 2001) / 1000.0 - 1.0; /* -1 .. 1 */
    return wait_ms * (1.0 + part * percent / 100.0);
}

static void wait_for(double wait_ms)
{
    uint64_t ns = wait_ms > 0 ? (uint64_t)(wait_ms * 1e6) : 0;
    struct timespec left = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        ;
}

static int retry_check(const struct cb_retry *retry)
{
    if (retry->jitter_percent > 100)
        return fail(-EINVAL, "jitter_percent: %u is out of range; give 0 to 100", retry->jitter_percent);
    if (!(retry->multiplier >= 1 && retry->multiplier <= 1000))
        return fail(-EINVAL, "multiplier: %g is out of range; give 1 to 1000", retry->multiplier);
    return 0;
}

int cb_call_with_retry(cb_breaker *breaker, cb_operation *operation, void *arg, const struct cb_retry *given,
                       int *result)
{
    struct cb_retry retry = with_defaults(given);
    int code = retry_check(&retry);
    double wait_ms = (double)retry.wait_ms;
    for (unsigned attempt = 1; code == 0; attempt++) {
        int value = 0;
        code = cb_call(breaker, operation, arg, &value);
        if (code != CB_ADMITTED)
            break;
        if (result)
            *result = value;
        if (value == 0 || value == CB_IGNORE || attempt >= retry.max_attempts)
            break;
        wait_for(
            jitter(wait_ms < (double)retry.max_wait_ms ? wait_ms : (double)retry.max_wait_ms, retry.jitter_percent));
        wait_ms *= retry.multiplier;
    }
    return code;
}
