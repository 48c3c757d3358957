#include "core/policy_field.h"

#include <stdio.h>

#include "core/policy_text.h"

#define AT(member) offsetof(struct policy, member)

const struct field fields[] = {
    {"preset", KIND_PRESET, 0, 0, 0, 0},
    {"failure_threshold", KIND_COUNT, 0, 1000000, 5, AT(failure_threshold)},
    {"failure_rate_threshold", KIND_COUNT, 0, 100, 0, AT(failure_rate_threshold)},
    {"slow_call_rate_threshold", KIND_COUNT, 0, 100, 0, AT(slow_call_rate_threshold)},
    {"slow_call_duration", KIND_DURATION, 0, POLICY_MAX_MS, 0, AT(slow_call_duration_ms)},
    {"window", KIND_WINDOW, WINDOW_NONE, WINDOW_TIME, WINDOW_NONE, AT(window)},
    {"minimum_calls", KIND_COUNT, 1, 1000000, UNSET, AT(minimum_calls)},
    {"open_timeout", KIND_DURATION, 1, POLICY_MAX_MS, 30000, AT(open_timeout_ms)},
    {"backoff_multiplier", KIND_DECIMAL, 1000, 100000, 1000, AT(backoff_milli)},
    {"max_open_timeout", KIND_DURATION, 1, POLICY_MAX_MS, UNSET, AT(max_open_timeout_ms)},
    {"jitter", KIND_COUNT, 0, 100, 0, AT(jitter)},
    {"half_open_max_calls", KIND_COUNT, 1, POLICY_MAX_PROBES, 1, AT(half_open_max_calls)},
    {"success_threshold", KIND_COUNT, 1, POLICY_MAX_PROBES, 1, AT(success_threshold)},
    {"half_open_success_rate", KIND_COUNT, 0, 100, 0, AT(half_open_success_rate)},
    {"half_open_minimum_probes", KIND_COUNT, 1, POLICY_MAX_PROBES, 10, AT(half_open_minimum_probes)},
    {"half_open_timeout", KIND_DURATION, 1, POLICY_MAX_LEASE_MS, 30000, AT(half_open_timeout_ms)},
    {"call_timeout", KIND_DURATION, 0, POLICY_MAX_MS, 0, AT(call_timeout_ms)},
    {"max_concurrent", KIND_COUNT, 0, POLICY_MAX_CONCURRENT, 0, AT(max_concurrent)},
    {"timing", KIND_TIMING, TIMING_OFF, TIMING_PRECISE, UNSET, AT(timing)},
};

const char *const timing_names[] = {"off", "coarse", "precise"};

const char *policy_key(size_t index)
{
    return index < FIELDS ? fields[index].key : NULL;
}

void field_range(const struct field *field, char out[RANGE_SIZE])
{
    char min[DURATION_SIZE], max[DURATION_SIZE];
    switch (field->kind) {
    case KIND_PRESET:
        snprintf(out, RANGE_SIZE, "default, aggressive or lenient");
        return;
    case KIND_COUNT:
        snprintf(out, RANGE_SIZE, "a whole number from %u to %u", field->min, field->max);
        return;
    case KIND_DECIMAL:
        snprintf(out, RANGE_SIZE, "a number from %u to %u with up to 3 decimals", field->min / 1000, field->max / 1000);
        return;
    case KIND_DURATION:
        duration_format(field->min, min);
        duration_format(field->max, max);
        snprintf(out, RANGE_SIZE, "a number with ms, s, m or h, from %s to %s", min, max);
        return;
    case KIND_WINDOW:
        duration_format(MIN_WINDOW_MS, min);
        duration_format(MAX_WINDOW_MS, max);
        snprintf(out, RANGE_SIZE, "none, count:N (N from 1 to %u) or time:D (D from %s to %s)", POLICY_MAX_WINDOW, min,
                 max);
        return;
    case KIND_TIMING:
        snprintf(out, RANGE_SIZE, "off, coarse or precise");
        return;
    }
}

void policy_unresolved(struct policy *policy)
{
    memset(policy, 0, sizeof *policy);
    for (size_t i = FIELD_FIRST; i < FIELDS; i++)
        field_set(&fields[i], policy, fields[i].fallback);
}

void policy_resolve(struct policy *policy)
{
    if (policy->max_open_timeout_ms == UNSET)
        policy->max_open_timeout_ms = policy->open_timeout_ms > 300000 ? policy->open_timeout_ms : 300000;
    if (policy->minimum_calls == UNSET)
        policy->minimum_calls = policy->window == WINDOW_COUNT && policy->window_size < 20 ? policy->window_size : 20;
    if (policy->timing == UNSET)
        policy->timing = policy->slow_call_duration_ms ? TIMING_PRECISE : TIMING_OFF;
}
