#include "json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

json_t *json_text(const char *text)
{
    json_t *string = json_string(text);
    if (string)
        return string;
    char plain[1024];
    size_t length = 0;
    for (; text[length] && length < sizeof plain; length++)
        plain[length] = isascii((unsigned char)text[length]) ? text[length] : '?';
    return json_stringn(plain, length);
}

json_t *json_count(uint64_t count)
{
    return count == UINT64_MAX ? json_null() : json_integer((json_int_t)count);
}

static json_t *json_counts(const struct cb_snapshot *counts)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"successes", counts->successes},
        {"failures", counts->failures},
        {"slow", counts->slow},
        {"ignored", counts->ignored},
        {"rejected", counts->rejected},
        {"rejected_open", counts->rejected_open},
        {"rejected_probes", counts->rejected_probes},
        {"rejected_concurrency", counts->rejected_concurrency},
        {"abandoned", counts->abandoned},
        {"overdue", counts->overdue},
        {"transitions", counts->transitions},
        {"in_flight", counts->in_flight},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        json_object_set_new(object, fields[i].name, json_count(fields[i].value));
    return object;
}

static json_t *json_override(const struct cb_health *health)
{
    if (!health->override_left_ms)
        return json_null();
    return json_pack("{s:o, s:o, s:I, s:I}", "left_ms", json_count(health->override_left_ms), "reason",
                     json_text(health->override_reason), "uid", (json_int_t)health->override_uid, "pid",
                     (json_int_t)health->override_pid);
}

static json_t *json_latency(const struct cb_health *health)
{
    if (!health->latency_count)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)health->latency_count, "p50_us",
                     (json_int_t)health->latency_p50_us, "p95_us", (json_int_t)health->latency_p95_us, "p99_us",
                     (json_int_t)health->latency_p99_us);
}

json_t *json_health(const struct cb_health *health)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:{s:I, s:f, s:f}, s:o, s:o}", /* keys in this order */
                     "name", health->name, "state", cb_state_name((enum cb_state)health->counts.state), "answer",
                     cb_answer_name(health->answer), "policy", health->policy, "retry_after_ms",
                     json_count(health->retry_after_ms), "streak", (json_int_t)health->streak, "counts",
                     json_counts(&health->counts), "window", "calls", (json_int_t)health->window_calls, "failure_rate",
                     health->failure_rate, "slow_call_rate", health->slow_call_rate, "latency", json_latency(health),
                     "override", json_override(health));
}

void json_print(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(value);
}
