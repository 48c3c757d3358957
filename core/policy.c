#include "core/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/policy_field.h"
#include "core/policy_text.h"

/*
 * The presets, as texts of their own; keys given beside `preset` replace what it says.
 * default     the table's defaults: five failures in a row trip for 30 s, then one probe decides.
 * aggressive  for dependencies that hurt when they hang and recover quickly: trips at the third failure, looks again
 *             after 10 s, and as it stays down waits twice as long each time (to max_open_timeout), with 10 % jitter
 *             so that many hosts do not probe together. Two probes in a row close, so that one lucky call does not.
 * lenient     for dependencies that fail now and then by nature: trips at the tenth failure; once it has tripped it is
 *             really down, so it waits 60 s, and gives probes a minute to answer.
 */
static const struct preset {
    const char *name, *text;
} presets[] = {
    {"default", ""},
    {"aggressive", "failure_threshold=3 open_timeout=10s backoff_multiplier=2 jitter=10 success_threshold=2"},
    {"lenient", "failure_threshold=10 open_timeout=60s half_open_timeout=60s"},
};
#define PRESETS (sizeof presets / sizeof *presets)

static const char *timing_parse(struct text text, uint64_t *value)
{
    for (*value = 0; *value <= TIMING_PRECISE; ++*value)
        if (text_is(text, timing_names[*value]))
            return NULL;
    return "is not a way of timing";
}

static const char *window_parse(struct text text, uint64_t *kind, struct policy *policy)
{
    struct text name, size_text;
    uint64_t size;
    *kind = WINDOW_NONE;
    policy->window_size = 0;
    if (text_is(text, "none"))
        return NULL;
    if (!text_cut(text, ':', &name, &size_text) || (!text_is(name, "count") && !text_is(name, "time")))
        return "is not a window";
    *kind = text_is(name, "count") ? WINDOW_COUNT : WINDOW_TIME;
    const char *wrong = *kind == WINDOW_COUNT ? text_count(size_text, &size) : text_duration(size_text, &size);
    if (wrong)
        return wrong;
    policy->window_size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    return window_valid((uint32_t)*kind, policy->window_size) ? NULL : "is out of range";
}

/* NULL, or what is wrong with `text` as this field's value. */
static const char *value_parse(const struct field *field, struct text text, struct policy *policy, uint64_t *value)
{
    switch (field->kind) {
    case KIND_COUNT:
        return text_count(text, value);
    case KIND_DURATION:
        return text_duration(text, value);
    case KIND_DECIMAL:
        return text_decimal(text, value);
    case KIND_WINDOW:
        return window_parse(text, value, policy);
    case KIND_TIMING:
        return timing_parse(text, value);
    case KIND_PRESET:
        break;
    }
    *value = 0;
    return NULL;
}

static int refuse(char *error, const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    vsnprintf(error, POLICY_ERROR_SIZE, form, arguments);
    va_end(arguments);
    return -EINVAL;
}

static int field_refuse(const struct field *field, struct text text, const char *wrong, char *error)
{
    char quote[QUOTE_SIZE], range[RANGE_SIZE];
    text_quote(text, quote);
    field_range(field, range);
    return refuse(error, "%s: '%s' %s; give %s", field->key, quote, wrong, range);
}

static int field_parse(const struct field *field, struct text text, struct policy *policy, char *error)
{
    uint64_t value;
    const char *wrong = value_parse(field, text, policy, &value);
    if (!wrong && (value < field->min || value > field->max))
        wrong = "is out of range";
    if (wrong)
        return field_refuse(field, text, wrong, error);
    if (field->kind != KIND_PRESET)
        field_set(field, policy, (uint32_t)value);
    return 0;
}

static int key_refuse(struct text key, char *error)
{
    char quote[QUOTE_SIZE];
    const char *nearest = text_nearest(key, policy_key);
    text_quote(key, quote);
    if (nearest)
        return refuse(error, "%s: unknown key; did you mean %s?", quote, nearest);
    return refuse(error, "%s: unknown key; the keys are %s, %s, %s and those beside them in registryd.conf(5)", quote,
                  fields[1].key, fields[2].key, fields[7].key);
}

static int key_twice(const char *key, struct text second, char *error)
{
    char quote[QUOTE_SIZE];
    text_quote(second, quote);
    return refuse(error, "%s: given twice, the second time as '%s'; give it once", key, quote);
}

/* Sort one `key=value` into values[], a row a field. */
static int word_sort(struct text word, struct text values[FIELDS], char *error)
{
    char quote[QUOTE_SIZE];
    struct text key, value;
    if (!text_cut(word, '=', &key, &value)) {
        text_quote(word, quote);
        return refuse(error, "%s: is not of the form key=value", quote);
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (!text_is(key, fields[i].key))
            continue;
        if (values[i].start)
            return key_twice(fields[i].key, value, error);
        values[i] = value;
        return 0;
    }
    return key_refuse(key, error);
}

/* Put the values of `text` over *policy; a preset in it first, wherever it stands. */
static int apply(const char *text, struct policy *policy, char *error)
{
    if (*text == '\0')
        return 0;
    struct text rest = {text, strlen(text)}, word, values[FIELDS] = {{NULL, 0}};
    while (text_next(&rest, &word)) {
        int result = word_sort(word, values, error);
        if (result)
            return result;
    }
    const struct preset *preset = presets;
    while (values[FIELD_PRESET].start && !text_is(values[FIELD_PRESET], preset->name))
        if (++preset == presets + PRESETS)
            return field_refuse(&fields[FIELD_PRESET], values[FIELD_PRESET], "is not a preset", error);
    int result = preset == presets ? 0 : apply(preset->text, policy, error);
    for (size_t i = 0; !result && i < FIELDS; i++)
        if (values[i].start)
            result = field_parse(&fields[i], values[i], policy, error);
    return result;
}

void policy_default(struct policy *policy)
{
    policy_unresolved(policy);
    policy_resolve(policy);
}

int policy_parse(const char *text, struct policy *out, char error[POLICY_ERROR_SIZE])
{
    struct policy policy;
    policy_unresolved(&policy);
    error[0] = '\0';
    int result = apply(text ? text : "", &policy, error);
    if (result)
        return result;
    policy_resolve(&policy);
    if (policy_conflict(&policy, error))
        return -EINVAL;
    *out = policy;
    return 0;
}
