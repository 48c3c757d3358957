#include <stdio.h>

#include "core/policy_field.h"
#include "core/policy_text.h"

bool window_valid(uint32_t kind, uint32_t size)
{
    switch (kind) {
    case WINDOW_NONE:
        return size == 0;
    case WINDOW_COUNT:
        return size >= 1 && size <= POLICY_MAX_WINDOW;
    case WINDOW_TIME:
        return size >= MIN_WINDOW_MS && size <= MAX_WINDOW_MS;
    default:
        return false;
    }
}

static bool trip_conflict(const struct policy *policy, char *error)
{
    if (policy->failure_threshold || policy->failure_rate_threshold || policy->slow_call_rate_threshold)
        return false;
    snprintf(error, POLICY_ERROR_SIZE,
             "failure_threshold: '0' leaves nothing that could trip; give 1 to 1000000, "
             "or failure_rate_threshold or slow_call_rate_threshold from 1 to 100");
    return true;
}

static bool rate_conflict(const char *key, uint32_t rate, const struct policy *policy, char *error)
{
    if (!rate || policy->window != WINDOW_NONE)
        return false;
    snprintf(error, POLICY_ERROR_SIZE,
             "%s: '%u' needs a window; give window=count:N (N from 1 to %u) or window=time:D (D from 100ms to 1h)", key,
             rate, POLICY_MAX_WINDOW);
    return true;
}

static bool slow_conflict(const struct policy *policy, char *error)
{
    if (!policy->slow_call_rate_threshold)
        return false;
    if (!policy->slow_call_duration_ms)
        snprintf(error, POLICY_ERROR_SIZE,
                 "slow_call_rate_threshold: '%u' needs to know what is slow; give slow_call_duration from 1ms to 168h",
                 policy->slow_call_rate_threshold);
    else if (policy->timing == TIMING_OFF)
        snprintf(error, POLICY_ERROR_SIZE,
                 "timing: 'off' sees no slow calls; give coarse or precise, or slow_call_rate_threshold=0");
    else
        return false;
    return true;
}

static bool minimum_conflict(const struct policy *policy, char *error)
{
    if (policy->window != WINDOW_COUNT || policy->minimum_calls <= policy->window_size)
        return false;
    snprintf(error, POLICY_ERROR_SIZE, "minimum_calls: '%u' is more than window=count:%u holds; give 1 to %u",
             policy->minimum_calls, policy->window_size, policy->window_size);
    return true;
}

static bool backoff_conflict(const struct policy *policy, char *error)
{
    char given[DURATION_SIZE], least[DURATION_SIZE];
    if (policy->max_open_timeout_ms >= policy->open_timeout_ms)
        return false;
    duration_format(policy->max_open_timeout_ms, given);
    duration_format(policy->open_timeout_ms, least);
    snprintf(error, POLICY_ERROR_SIZE, "max_open_timeout: '%s' is less than open_timeout; give from %s to 168h", given,
             least);
    return true;
}

bool policy_conflict(const struct policy *policy, char error[POLICY_ERROR_SIZE])
{
    return rate_conflict("failure_rate_threshold", policy->failure_rate_threshold, policy, error) ||
           rate_conflict("slow_call_rate_threshold", policy->slow_call_rate_threshold, policy, error) ||
           trip_conflict(policy, error) || slow_conflict(policy, error) || minimum_conflict(policy, error) ||
           backoff_conflict(policy, error);
}

int policy_valid(const struct policy *policy)
{
    static const uint32_t zero[sizeof policy->reserved / sizeof *policy->reserved];
    char error[POLICY_ERROR_SIZE];
    for (size_t i = FIELD_FIRST; i < FIELDS; i++) {
        uint32_t value = field_of(&fields[i], policy);
        if (value < fields[i].min || value > fields[i].max)
            return 0;
    }
    return window_valid(policy->window, policy->window_size) && !policy_conflict(policy, error) &&
           memcmp(policy->reserved, zero, sizeof zero) == 0;
}
