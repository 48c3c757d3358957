#include "registryd/http_breaker.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/counters.h"
#include "core/panel.h"
#include "registryd/http_json.h"
#include "registryd/http_reply.h"

/* Its keys and their order are those of cbctl show --json. */

static json_t *counts_json(const struct tally *tally, uint64_t in_flight)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"successes", tally->successes},
        {"failures", tally->failures},
        {"slow", tally->slow},
        {"ignored", tally->ignored},
        {"rejected", tally->rejected_open + tally->rejected_probes + tally->rejected_concurrency},
        {"rejected_open", tally->rejected_open},
        {"rejected_probes", tally->rejected_probes},
        {"rejected_concurrency", tally->rejected_concurrency},
        {"abandoned", tally->abandoned},
        {"overdue", tally->overdue},
        {"transitions", tally->transitions},
        {"in_flight", in_flight},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        json_object_set_new(object, fields[i].name, http_json_count(fields[i].value));
    return object;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static json_t *latency_json(const struct tally *tally)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        count += tally->latency[i];
    if (count == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)count, "p50_us",
                     (json_int_t)tally_latency_us(tally, 50), "p95_us", (json_int_t)tally_latency_us(tally, 95),
                     "p99_us", (json_int_t)tally_latency_us(tally, 99));
}

/* The gate says whether an override is in force; the panel says why. */
static json_t *override_json(const struct override *override, enum breaker_state state, uint64_t now_ms)
{
    if (state < STATE_FORCED_OPEN || (override->until_ms != 0 && override->until_ms <= now_ms))
        return json_null();
    char reason[REASON_SIZE];
    snprintf(reason, sizeof reason, "%.*s", REASON_SIZE - 1, override->reason);
    return json_pack("{s:o, s:o, s:I, s:I}", "left_ms",
                     override->until_ms ? json_integer((json_int_t)(override->until_ms - now_ms)) : json_null(),
                     "reason", http_json_text(reason), "uid", (json_int_t) override->uid, "pid",
                     (json_int_t) override->pid);
}

static json_t *window_json(const struct tally *tally)
{
    return json_pack("{s:I, s:f, s:f}", "calls", (json_int_t)tally->window_calls, "failure_rate",
                     percent(tally->window_failures, tally->window_calls), "slow_call_rate",
                     percent(tally->window_slow, tally->window_calls));
}

json_t *http_breaker_json(const struct segment *segment, const struct http_subject *subject)
{
    struct control_copy copy;
    char policy[POLICY_TEXT_SIZE];
    if (!panel_read(segment, subject->slot, &copy, NULL) || strncmp(copy.name, subject->name, NAME_SIZE) != 0)
        return NULL;
    const struct tally *tally = &subject->tally;
    policy_format(&copy.policy, policy);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", /* keys in this order */
                     "name", subject->name, "state", state_name(tally->state), "answer",
                     answer_name(call_query(segment, subject->slot)), "policy", policy, "retry_after_ms",
                     http_json_count(tally->retry_after_ms), "streak", (json_int_t)tally->streak, "counts",
                     counts_json(tally, subject->in_flight), "window", window_json(tally), "latency",
                     latency_json(tally), "override",
                     override_json(&copy.override, tally->state, segment_now_ms(segment)));
}

int64_t http_breaker_find(struct http_request *request, const char *name, enum MHD_Result *result)
{
    int64_t slot =
        breaker_name_valid(name, strlen(name)) ? panel_find(&request->http->service->registry->segment, name) : -1;
    if (slot < 0)
        *result = http_reply_error(request->connection, MHD_HTTP_NOT_FOUND, "there is no breaker \"%.100s\"", name);
    return slot;
}

enum MHD_Result http_breaker_show(struct http_request *request, const char *name)
{
    struct segment *segment = &request->http->service->registry->segment;
    enum MHD_Result result = MHD_NO;
    int64_t slot = http_breaker_find(request, name, &result);
    if (slot < 0)
        return result;
    struct http_subject subject = {.slot = (uint32_t)slot};
    snprintf(subject.name, sizeof subject.name, "%s", name);
    subject.in_flight = (uint32_t)tally_in_flight_of(segment, subject.slot);
    tally_slot(segment, subject.slot, &subject.tally);
    tally_tell(segment, subject.slot, &subject.tally);
    return http_reply_json(request->connection, MHD_HTTP_OK, http_breaker_json(segment, &subject));
}
