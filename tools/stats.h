/* One breaker in numbers: what was read, and what follows from it. */
#ifndef TOOLS_STATS_H
#define TOOLS_STATS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cbclient.h>

/* A breaker's numbers at one moment. */
struct reading {
    struct cb_health health;
    struct cb_latency latency;
    struct timespec at;
};

struct stats {
    struct reading before, now;
    struct cb_latency recent; /* what came between the two */
    double seconds;           /* between them */
};

/* The kinds of calls: every call is one of them, but for the last, `slow`, which is beside them. */
#define STATS_KINDS 9
struct stats_kind {
    const char *label, *key;
    size_t field; /* in struct cb_snapshot */
};
extern const struct stats_kind stats_kinds[STATS_KINDS];

/* Calls of that kind since the breaker was created, and between the readings. */
uint64_t stats_count(const struct stats *, size_t kind);
uint64_t stats_recent(const struct stats *, size_t kind);

#define STATS_PERCENTILES 6
struct stats_percentile {
    const char *label, *key;
    unsigned permille;
};
extern const struct stats_percentile stats_percentiles[STATS_PERCENTILES];

/* For people, with what was measured over `measure_ms` beside what is since the breaker was created. */
void stats_print(const struct stats *, uint64_t measure_ms);

#endif
