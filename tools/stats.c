/* cbctl stats: one breaker in numbers, now and since it was created. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "commands.h"
#include "json.h"
#include "latency.h"
#include "registry.h"
#include "report.h"
#include "stats.h"

#define MEASURE_MS 1000 /* unless --for says otherwise */

const struct stats_kind stats_kinds[STATS_KINDS] = {
    {"ok", "successes", offsetof(struct cb_snapshot, successes)},
    {"failed", "failures", offsetof(struct cb_snapshot, failures)},
    {"abandoned", "abandoned", offsetof(struct cb_snapshot, abandoned)},
    {"overdue", "overdue", offsetof(struct cb_snapshot, overdue)},
    {"ignored", "ignored", offsetof(struct cb_snapshot, ignored)},
    {"rejected: open", "rejected_open", offsetof(struct cb_snapshot, rejected_open)},
    {"rejected: probes", "rejected_probes", offsetof(struct cb_snapshot, rejected_probes)},
    {"rejected: concurrency", "rejected_concurrency", offsetof(struct cb_snapshot, rejected_concurrency)},
    {"slow", "slow", offsetof(struct cb_snapshot, slow)},
};
const struct stats_percentile stats_percentiles[STATS_PERCENTILES] = {
    {"p50", "p50_us", 500}, {"p90", "p90_us", 900},     {"p95", "p95_us", 950},
    {"p99", "p99_us", 990}, {"p99.9", "p99_9_us", 999}, {"slowest", "slowest_us", 1000}};

static uint64_t count_of(const struct reading *reading, size_t kind)
{
    return *(const uint64_t *)(const void *)((const char *)&reading->health.counts + stats_kinds[kind].field);
}

uint64_t stats_count(const struct stats *stats, size_t kind)
{
    return count_of(&stats->now, kind);
}

/* A reader adds up what others are counting: a sum may be less than the one before by the calls that end meanwhile. */
uint64_t stats_recent(const struct stats *stats, size_t kind)
{
    uint64_t now = count_of(&stats->now, kind), before = count_of(&stats->before, kind);
    return now > before ? now - before : 0;
}

/* ---- reading ---- */

static int reading_take(struct reading *reading, const cb_breaker *breaker)
{
    clock_gettime(CLOCK_MONOTONIC, &reading->at);
    int error = cb_health_of(breaker, &reading->health, sizeof reading->health);
    return error ? error : cb_latency_of(breaker, &reading->latency, sizeof reading->latency);
}

static void pause_for(uint64_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) && errno == EINTR)
        continue;
}

static int stats_take(struct stats *stats, const cb_breaker *breaker, uint64_t measure_ms)
{
    int error = reading_take(&stats->before, breaker);
    if (error)
        return error;
    pause_for(measure_ms);
    error = reading_take(&stats->now, breaker);
    if (error)
        return error;
    stats->recent = latency_since(&stats->now.latency, &stats->before.latency);
    stats->seconds = (double)(stats->now.at.tv_sec - stats->before.at.tv_sec) +
                     (double)(stats->now.at.tv_nsec - stats->before.at.tv_nsec) / 1e9;
    return 0;
}

/* ---- for programs ---- */

static json_t *rates_json(const struct stats *stats)
{
    json_t *object = json_object();
    for (size_t i = 0; i < STATS_KINDS; i++) {
        json_object_set_new(object, stats_kinds[i].key, json_real((double)stats_recent(stats, i) / stats->seconds));
    }
    return object;
}

static json_t *percentiles_json(const struct cb_latency *latency)
{
    if (!latency_count(latency))
        return json_null();
    json_t *object = json_pack("{s:o}", "count", json_count(latency_count(latency)));
    for (size_t i = 0; i < STATS_PERCENTILES; i++)
        json_object_set_new(object, stats_percentiles[i].key,
                            json_count(latency_permille(latency, stats_percentiles[i].permille)));
    return object;
}

static json_t *histogram_json(const struct cb_latency *latency)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < CB_LATENCY_BUCKETS; i++)
        if (latency->calls[i])
            json_array_append_new(
                array, json_pack("{s:o, s:o}", "below_us",
                                 json_count(i < CB_LATENCY_BUCKETS - 1 ? latency->bound_ns[i] / 1000 : UINT64_MAX),
                                 "calls", json_count(latency->calls[i])));
    return array;
}

static json_t *stats_json(const struct stats *stats)
{
    json_t *object = json_health(&stats->now.health);
    json_object_set_new(object, "measured_ms", json_count((uint64_t)(stats->seconds * 1000 + 0.5)));
    json_object_set_new(object, "per_second", rates_json(stats));
    json_object_set_new(object, "latency_recent", percentiles_json(&stats->recent));
    json_object_set_new(object, "latency", percentiles_json(&stats->now.latency));
    json_object_set_new(object, "histogram", histogram_json(&stats->now.latency));
    return object;
}

int command_stats(const struct options *options)
{
    cb_registry *registry;
    cb_breaker *breaker;
    int code = registry_open_breaker(options, &registry, &breaker);
    if (code)
        return code;
    struct stats stats;
    uint64_t measure_ms = options->for_ms ? options->for_ms : MEASURE_MS;
    int error = stats_take(&stats, breaker, measure_ms);
    if (error)
        code = report_error(options->argv[0], error);
    else if (options->json)
        json_print(stats_json(&stats));
    else
        stats_print(&stats, measure_ms);
    cb_detach(&registry);
    return code;
}
