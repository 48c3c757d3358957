/* One line of the benchmark's table: what is measured, how, and what it must reach. */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench.h"

#define RUNS 15

enum unit { UNIT_NS, UNIT_BYTES, UNIT_PERCENT };

/* What a value must not exceed: constant + factor x another row of the same run + that many clock reads. All 0: nothing
 * to reach. */
struct limit {
    const char *text;
    double constant, factor;
    unsigned of; /* enum row_id */
    unsigned clocks;
};

/* Rows of one group are measured in turn, run by run, so that a disturbance meets all of them. The crowd is forked before
 * this process has grown by 65,536 handles. */
enum group { GROUP_CALL, GROUP_TRIP, GROUP_CROWD, GROUP_CREATE, GROUP_LIST, GROUP_GET, GROUP_MEMORY, GROUPS };
extern const char *const group_names[GROUPS];

enum row_id {
    ROW_FETCH_ADD,
    ROW_CLOCK,
    ROW_MUTEX,
    ROW_CLOSED,
    ROW_CLOSED_TWO,
    ROW_WINDOW_TIME,
    ROW_WINDOW_COUNT,
    ROW_TIMED,
    ROW_REJECTED,
    ROW_FAILURE,
    ROW_TRIP,
    ROW_ROUND_TRIP,
    ROW_CREATE,
    ROW_LIST,
    ROW_GET,
    ROW_IDLE_CPU,
    ROW_IDLE_MEMORY,
    ROW_DEATHS_KERNEL,
    ROW_DEATHS,
    ROW_MEMORY_2,
    ROW_MEMORY_16,
    ROW_MEMORY_64,
    ROW_MEMORY_ALL,
    ROWS
};

struct row {
    const char *what;
    enum group group;
    enum unit unit;
    struct limit limit;
    /* One run: nanoseconds an operation, bytes or percent; negative: cannot be measured here. */
    double (*measure)(struct bench *, unsigned argument);
    unsigned argument;
};

extern const struct row rows[ROWS];

/* What came out of the runs of all rows. */
struct samples {
    bool asked[GROUPS];
    double load; /* of others: processes that wanted to run as the first was about to */
    double value[ROWS][RUNS];
    unsigned count[ROWS];
};

/* The middle of `count` values; they are sorted. */
double median_of(double *values, size_t count);

struct result {
    double median, least, most;
    double spread; /* percent of the median: half the runs lie within, that is the interquartile range */
    double used;   /* the median of value / limit, run by run; 0: nothing to reach */
    bool measured, limited, passed;
};
void row_judge(enum row_id, const struct samples *, struct result *out);

#endif
