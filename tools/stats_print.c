#include <inttypes.h>
#include <stdio.h>

#include "chart.h"
#include "duration.h"
#include "latency.h"
#include "stats.h"
#include "table.h"

static double share(uint64_t part, uint64_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}

/* All calls: the sum of their kinds. */
static uint64_t all_of(const struct stats *stats, uint64_t count(const struct stats *, size_t))
{
    uint64_t all = 0;
    for (size_t i = 0; i < STATS_KINDS - 1; i++)
        all += count(stats, i);
    return all;
}

enum { CALLS, RATE, RATE_SHARE, TOTAL, TOTAL_SHARE };
static const struct column count_columns[] = {
    [CALLS] = {.heading = "CALLS"},
    [RATE] = {.heading = "PER SECOND", .number = true},
    [RATE_SHARE] = {.heading = "SHARE", .number = true},
    [TOTAL] = {.heading = "IN ALL", .number = true},
    [TOTAL_SHARE] = {.heading = "SHARE", .number = true},
};

static void cell_rate(struct table *table, size_t column, double rate)
{
    char text[40];
    snprintf(text, sizeof text, "%.1f", rate);
    table_text(table, column, text);
}

static void cell_share(struct table *table, size_t column, uint64_t part, uint64_t all)
{
    char text[40];
    snprintf(text, sizeof text, "%.1f%%", share(part, all));
    table_text(table, column, text);
}

static void kind_row(struct table *table, const struct stats *stats, size_t kind)
{
    uint64_t total = stats_count(stats, kind), recent = stats_recent(stats, kind);
    table_row(table);
    table_text(table, CALLS, stats_kinds[kind].label);
    cell_rate(table, RATE, (double)recent / stats->seconds);
    cell_share(table, RATE_SHARE, recent, all_of(stats, stats_recent));
    table_count(table, TOTAL, total);
    cell_share(table, TOTAL_SHARE, total, all_of(stats, stats_count));
}

static void counts_print(const struct stats *stats)
{
    struct table *table = table_create(count_columns, sizeof count_columns / sizeof *count_columns);
    for (size_t i = 0; table && i < STATS_KINDS; i++)
        kind_row(table, stats, i);
    if (table)
        table_print(table);
    table_destroy(table);
}

static void percentile_cell(struct table *table, size_t column, const struct cb_latency *latency, unsigned permille)
{
    char text[LATENCY_TEXT];
    uint64_t us = latency_permille(latency, permille);
    table_text(table, column, us ? latency_text(us, text) : "");
}

static void percentiles_print(const struct stats *stats, uint64_t measure_ms)
{
    char span[DURATION_TEXT], heading[DURATION_TEXT + 8];
    snprintf(heading, sizeof heading, "LAST %s", duration_text(measure_ms, span));
    const struct column columns[] = {
        {.heading = "LATENCY BELOW"}, {.heading = heading, .number = true}, {.heading = "IN ALL", .number = true}};
    struct table *table = table_create(columns, 3);
    for (size_t i = 0; table && i < STATS_PERCENTILES; i++) {
        table_row(table);
        table_text(table, 0, stats_percentiles[i].label);
        percentile_cell(table, 1, &stats->recent, stats_percentiles[i].permille);
        percentile_cell(table, 2, &stats->now.latency, stats_percentiles[i].permille);
    }
    if (table)
        table_print(table);
    table_destroy(table);
}

static void bucket_print(const struct cb_latency *latency, unsigned bucket, uint64_t most)
{
    char bound[LATENCY_TEXT], bar[BAR_TEXT];
    uint64_t calls = latency->calls[bucket];
    const char *below =
        bucket == CB_LATENCY_BUCKETS - 1 ? "more" : latency_text(latency->bound_ns[bucket] / 1000, bound);
    printf("%8s %10" PRIu64 " %5.1f%%%s%s\n", below, calls, share(calls, latency_count(latency)), calls ? "  " : "",
           bar_text(calls, most, chart_blocks(), bar));
}

/* From the first bucket with a call to the last one. */
static void histogram_print(const struct cb_latency *latency)
{
    unsigned first = CB_LATENCY_BUCKETS, last = 0;
    uint64_t most = 0;
    for (unsigned i = 0; i < CB_LATENCY_BUCKETS; i++) {
        if (!latency->calls[i])
            continue;
        first = first < i ? first : i;
        last = i;
        most = most > latency->calls[i] ? most : latency->calls[i];
    }
    printf("%8s %10s %6s\n", "BELOW", "CALLS", "SHARE");
    for (unsigned i = first; i <= last; i++)
        bucket_print(latency, i, most);
}

void stats_print(const struct stats *stats, uint64_t measure_ms)
{
    const struct cb_health *health = &stats->now.health;
    int state = (int)health->counts.state;
    const char *colour = state_colour(state);
    printf("%s  %s%s%s  %" PRIu64 " in flight\n\n", health->name, colour, cb_state_name((enum cb_state)state),
           *colour ? COLOUR_END : "", health->counts.in_flight);
    counts_print(stats);
    if (!latency_count(&stats->now.latency)) {
        puts("\nNo call was timed: see `timing` in registryd.conf(5).");
        return;
    }
    putchar('\n');
    percentiles_print(stats, measure_ms);
    putchar('\n');
    histogram_print(&stats->now.latency);
}
