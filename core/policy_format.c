#include <stdio.h>
#include <string.h>

#include "core/policy_field.h"
#include "core/policy_text.h"

static void window_format(const struct policy *policy, char *out, size_t size)
{
    char duration[DURATION_SIZE];
    duration_format(policy->window_size, duration);
    if (policy->window == WINDOW_COUNT)
        snprintf(out, size, "count:%u", policy->window_size);
    else
        snprintf(out, size, policy->window == WINDOW_TIME ? "time:%s" : "none", duration);
}

static void decimal_format(uint32_t milli, char *out, size_t size)
{
    int length = snprintf(out, size, "%u.%03u", milli / 1000, milli % 1000);
    while (out[length - 1] == '0')
        out[--length] = '\0';
    if (out[length - 1] == '.')
        out[length - 1] = '\0';
}

#define VALUE_SIZE 24
static void value_format(const struct field *field, const struct policy *policy, char out[VALUE_SIZE])
{
    uint32_t value = field_of(field, policy);
    switch (field->kind) {
    case KIND_DURATION:
        duration_format(value, out);
        return;
    case KIND_DECIMAL:
        decimal_format(value, out, VALUE_SIZE);
        return;
    case KIND_WINDOW:
        window_format(policy, out, VALUE_SIZE);
        return;
    case KIND_TIMING:
        snprintf(out, VALUE_SIZE, "%s", value <= TIMING_PRECISE ? timing_names[value] : "?");
        return;
    case KIND_COUNT:
    case KIND_PRESET:
        snprintf(out, VALUE_SIZE, "%u", value);
    }
}

/* The default of every key, given the keys that other defaults follow from. */
static void usual(const struct policy *policy, struct policy *out)
{
    struct policy defaults = *policy;
    defaults.max_open_timeout_ms = defaults.minimum_calls = defaults.timing = UNSET;
    policy_resolve(&defaults);
    policy_unresolved(out);
    out->max_open_timeout_ms = defaults.max_open_timeout_ms;
    out->minimum_calls = defaults.minimum_calls;
    out->timing = defaults.timing;
}

void policy_format(const struct policy *policy, char out[POLICY_TEXT_SIZE])
{
    struct policy defaults;
    size_t at = 0;
    usual(policy, &defaults);
    out[0] = '\0';
    if (memcmp(policy, &defaults, sizeof defaults) == 0)
        return;
    for (size_t i = FIELD_FIRST; i < FIELDS && at < POLICY_TEXT_SIZE; i++) {
        char value[VALUE_SIZE];
        if (field_of(&fields[i], policy) == field_of(&fields[i], &defaults))
            continue;
        value_format(&fields[i], policy, value);
        at += (size_t)snprintf(out + at, POLICY_TEXT_SIZE - at, "%s%s=%s", at ? " " : "", fields[i].key, value);
    }
}
