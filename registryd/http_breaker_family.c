/* The metrics of a breaker. Counters lie in shared memory, so a restart of the daemon does not turn them back. */
#include <math.h>
#include <stdio.h>

#include "core/counters.h"
#include "registryd/http_metrics.h"

static void count(struct http_exposition *out, const char *name, const char *suffix, const struct http_subject *subject,
                  const char *label, const char *value, uint64_t number)
{
    const struct http_label labels[] = {{"breaker", subject->name}, {label, value}, {NULL, NULL}};
    http_sample(out, name, suffix, labels);
    http_text_count(out->text, number);
    http_text_string(out->text, "\n");
}

static void created(struct http_exposition *out, const char *name, const struct http_subject *subject,
                    const char *label, const char *value)
{
    const struct http_label labels[] = {{"breaker", subject->name}, {label, value}, {NULL, NULL}};
    if (!out->open)
        return;
    http_sample(out, name, "_created", labels);
    http_text_seconds(out->text, subject->created_ms);
    http_text_string(out->text, "\n");
}

static void counter(struct http_exposition *out, const char *name, const struct http_subject *subject,
                    const char *label, const char *value, uint64_t number)
{
    count(out, name, "_total", subject, label, value, number);
    created(out, name, subject, label, value);
}

static void state(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    for (unsigned i = STATE_CLOSED; i <= STATE_METRICS_ONLY; i++)
        count(out, name, "", subject, "state", state_name(i), subject->tally.state == i);
}

static void calls(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    const struct tally *tally = &subject->tally;
    counter(out, name, subject, "outcome", "success", tally->successes);
    counter(out, name, subject, "outcome", "failure", tally->failures);
    counter(out, name, subject, "outcome", "ignored", tally->ignored);
    counter(out, name, subject, "outcome", "abandoned", tally->abandoned);
    counter(out, name, subject, "outcome", "overdue", tally->overdue);
}

static void slow_calls(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    counter(out, name, subject, NULL, NULL, subject->tally.slow);
}

static void rejections(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    counter(out, name, subject, "kind", "open", subject->tally.rejected_open);
    counter(out, name, subject, "kind", "probes", subject->tally.rejected_probes);
    counter(out, name, subject, "kind", "concurrency", subject->tally.rejected_concurrency);
}

static void transitions(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    counter(out, name, subject, NULL, NULL, subject->tally.transitions);
}

static void in_flight(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    count(out, name, "", subject, NULL, NULL, subject->in_flight);
}

static void streak(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    count(out, name, "", subject, NULL, NULL, subject->tally.streak);
}

static void override(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    count(out, name, "", subject, NULL, NULL, subject->tally.state >= STATE_FORCED_OPEN);
}

static void retry_after(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    const struct http_label labels[] = {{"breaker", subject->name}, {NULL, NULL}};
    http_sample(out, name, "", labels);
    http_text_seconds(out->text, subject->tally.retry_after_ms);
    http_text_string(out->text, "\n");
}

/* ---- durations: of the memory's buckets, two an octave, those that end at a power of two from 33 us to 34 s ---- */

#define OCTAVE_FIRST      15
#define OCTAVE_LAST       35
#define BUCKET_OF(octave) (2 * ((octave)-10)) /* the one whose upper bound is 2^octave nanoseconds */
_Static_assert(BUCKET_OF(OCTAVE_LAST) < LATENCY_BUCKETS, "all are there");

/* The bound of an octave in seconds, as text. */
static const char *octave_text(unsigned octave)
{
    static char texts[OCTAVE_LAST + 1][16];
    if (*texts[octave] == '\0')
        snprintf(texts[octave], sizeof texts[octave], "%.9g", ldexp(1e-9, (int)octave));
    return texts[octave];
}

/* Buckets are known, durations are not: each call counts as the middle of its bucket. */
static void duration_sum(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    const struct http_label labels[] = {{"breaker", subject->name}, {NULL, NULL}};
    const uint64_t *latency = subject->tally.latency;
    double sum = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        sum += (double)latency[i] * (double)(latency_bound(i) + (i ? latency_bound(i - 1) : 0)) / 2e9;
    http_sample(out, name, "_sum", labels);
    http_text_number(out->text, sum);
    http_text_string(out->text, "\n");
}

/* Of breakers that time no calls there are none. */
static void durations(struct http_exposition *out, const char *name, const struct http_subject *subject)
{
    const struct tally *tally = &subject->tally;
    uint64_t below = 0, all = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        all += tally->latency[i];
    if (all == 0 && !(subject->commit & TRAITS_TIMED))
        return;
    for (unsigned octave = OCTAVE_FIRST, i = 0; octave <= OCTAVE_LAST; octave++) {
        for (; i <= BUCKET_OF(octave); i++)
            below += tally->latency[i];
        count(out, name, "_bucket", subject, "le", octave_text(octave), below);
    }
    count(out, name, "_bucket", subject, "le", "+Inf", all);
    count(out, name, "_count", subject, NULL, NULL, all);
    duration_sum(out, name, subject);
    created(out, name, subject, NULL, NULL);
}

const struct http_breaker_family http_breaker_families[] = {
    {"cb_breaker_state", NULL, "1 for the state that the next call will find, 0 for the others.", METRIC_GAUGE, state},
    {"cb_breaker_calls", NULL, "Calls that were admitted and have ended, by outcome.", METRIC_COUNTER, calls},
    {"cb_breaker_slow_calls", NULL, "Successes and failures that took slow_call_duration or longer.", METRIC_COUNTER,
     slow_calls},
    {"cb_breaker_rejections", NULL, "Calls that were not admitted, by what stood in their way.", METRIC_COUNTER,
     rejections},
    {"cb_breaker_transitions", NULL, "State changes, resets included.", METRIC_COUNTER, transitions},
    {"cb_breaker_in_flight", NULL, "Calls under way on this host.", METRIC_GAUGE, in_flight},
    {"cb_breaker_failure_streak", NULL, "Consecutive failures.", METRIC_GAUGE, streak},
    {"cb_breaker_override", NULL, "1 while an operator's override is in force.", METRIC_GAUGE, override},
    {"cb_breaker_retry_after_seconds", "seconds",
     "Time until a probe is let through; 0 now, +Inf when forced open without an end.", METRIC_GAUGE, retry_after},
    {"cb_breaker_call_duration_seconds", "seconds",
     "How long timed calls took. The sum takes each call for the middle of its bucket, so it is right to a quarter.",
     METRIC_HISTOGRAM, durations},
    {NULL, NULL, NULL, METRIC_GAUGE, NULL},
};
