#include "row.h"

#include <stdlib.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

const char *const group_names[GROUPS] = {
    [GROUP_CALL] = "call", [GROUP_TRIP] = "trip",   [GROUP_CREATE] = "create", [GROUP_LIST] = "list",
    [GROUP_GET] = "get",   [GROUP_CROWD] = "crowd", [GROUP_MEMORY] = "memory",
};

const struct row rows[ROWS] = {
    [ROW_FETCH_ADD] = {"baseline: atomic fetch_add", GROUP_CALL, UNIT_NS, {0}, measure_fetch_add, 0},
    [ROW_CLOCK] = {"baseline: clock_gettime", GROUP_CALL, UNIT_NS, {0}, measure_clock, 0},
    [ROW_MUTEX] = {"baseline: the pair's work under a robust mutex", GROUP_CALL, UNIT_NS, {0}, measure_mutex_pair, 0},
    [ROW_CLOSED] = {"closed: acquire + success (the plain pair)",
                    GROUP_CALL,
                    UNIT_NS,
                    {.text = "1/3 x mutex", .factor = 1.0 / 3, .of = ROW_MUTEX},
                    measure_pair,
                    BREAKER_PLAIN},
    [ROW_CLOSED_TWO] = {"closed, from 2 processes at once",
                        GROUP_CALL,
                        UNIT_NS,
                        {.text = "1.1 x plain", .factor = 1.1, .of = ROW_CLOSED},
                        measure_pair_two,
                        BREAKER_PLAIN},
    [ROW_WINDOW_TIME] = {"closed, window=time:10s and a failure rate",
                         GROUP_CALL,
                         UNIT_NS,
                         {.text = "1.7 x plain", .factor = 1.7, .of = ROW_CLOSED},
                         measure_pair,
                         BREAKER_WINDOW_TIME},
    [ROW_WINDOW_COUNT] = {"closed, window=count:100 and a failure rate",
                          GROUP_CALL,
                          UNIT_NS,
                          {.text = "2.5 x plain", .factor = 2.5, .of = ROW_CLOSED},
                          measure_pair,
                          BREAKER_WINDOW_COUNT},
    [ROW_TIMED] = {"closed, slow calls timed",
                   GROUP_CALL,
                   UNIT_NS,
                   {.text = "plain + 2 clocks", .factor = 1, .of = ROW_CLOSED, .clocks = 2},
                   measure_pair,
                   BREAKER_TIMED},
    [ROW_REJECTED] = {"open: rejected",
                      GROUP_CALL,
                      UNIT_NS,
                      {.text = "1 x plain", .factor = 1, .of = ROW_CLOSED},
                      measure_rejection,
                      BREAKER_OPEN},
    [ROW_FAILURE] = {"closed: acquire + failure",
                     GROUP_CALL,
                     UNIT_NS,
                     {.text = "3 x plain", .factor = 3, .of = ROW_CLOSED},
                     measure_failure,
                     BREAKER_FAILING},
    [ROW_TRIP] = {"trip, until another process sees it",
                  GROUP_TRIP,
                  UNIT_NS,
                  {.text = "1 us", .constant = 1000},
                  measure_trip,
                  BREAKER_TRIPPED},
    [ROW_ROUND_TRIP] = {"baseline: bare round trip of a packet", GROUP_CREATE, UNIT_NS, {0}, measure_round_trip, 0},
    [ROW_CREATE] = {"create a breaker, over the socket",
                    GROUP_CREATE,
                    UNIT_NS,
                    {.text = "2 x round trip", .factor = 2, .of = ROW_ROUND_TRIP},
                    measure_create,
                    0},
    [ROW_LIST] =
        {"list of 10,000 breakers", GROUP_LIST, UNIT_NS, {.text = "50 ms", .constant = 50e6}, measure_list, 10000},
    [ROW_GET] = {"cb_get by name, any of 65,536",
                 GROUP_GET,
                 UNIT_NS,
                 {.text = "200 ns", .constant = 200},
                 measure_get,
                 CAPACITY},
    [ROW_IDLE_CPU] = {"daemon idle, 1,000 workers: of one CPU",
                      GROUP_CROWD,
                      UNIT_PERCENT,
                      {.text = "0.5 %", .constant = 0.5},
                      measure_idle_cpu,
                      0},
    [ROW_IDLE_MEMORY] = {"daemon idle, 1,000 workers: memory of its own",
                         GROUP_CROWD,
                         UNIT_BYTES,
                         {.text = "20 MiB", .constant = 20 * MIB},
                         measure_idle_memory,
                         0},
    [ROW_DEATHS_KERNEL] =
        {"baseline: 1,000 processes killed, none attached", GROUP_CROWD, UNIT_NS, {0}, measure_deaths_kernel, 0},
    [ROW_DEATHS] = {"1,000 workers killed in a call: all settled",
                    GROUP_CROWD,
                    UNIT_NS,
                    {.text = "250 ms", .constant = 250e6},
                    measure_deaths,
                    0},
    [ROW_MEMORY_2] = {"memory a breaker, 2 CPUs", GROUP_MEMORY, UNIT_BYTES, {0}, measure_memory, 2},
    [ROW_MEMORY_16] = {"memory a breaker, 16 CPUs", GROUP_MEMORY, UNIT_BYTES, {0}, measure_memory, 16},
    [ROW_MEMORY_64] = {"memory a breaker, 64 CPUs", GROUP_MEMORY, UNIT_BYTES, {0}, measure_memory, 64},
    [ROW_MEMORY_ALL] = {"memory of 1,024 breakers, 16 CPUs",
                        GROUP_MEMORY,
                        UNIT_BYTES,
                        {.text = "24 MiB", .constant = 24 * MIB},
                        measure_memory_all,
                        16},
};

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double limit_in_run(const struct limit *limit, const struct samples *samples, unsigned run)
{
    return limit->constant + limit->factor * samples->value[limit->of][run] +
           limit->clocks * samples->value[ROW_CLOCK][run];
}

/* Each run against the limit of the same run, so that a machine that is slow for a while is so on both sides. */
static double limit_used(enum row_id id, const struct samples *samples)
{
    double used[RUNS];
    unsigned count = samples->count[id];
    for (unsigned run = 0; run < count; run++)
        used[run] = samples->value[id][run] / limit_in_run(&rows[id].limit, samples, run);
    return median_of(used, count);
}

void row_judge(enum row_id id, const struct samples *samples, struct result *out)
{
    double values[RUNS];
    unsigned count = samples->count[id];
    *out = (struct result){.limited = rows[id].limit.text != NULL, .measured = count > 0};
    out->passed = !out->limited || place_count() < 2; /* two processes at once need two processors */
    if (!out->measured)
        return;
    memcpy(values, samples->value[id], sizeof values);
    out->median = median_of(values, count);
    out->least = values[0];
    out->most = values[count - 1];
    if (out->median > 0)
        out->spread = (values[count * 3 / 4] - values[count / 4]) / out->median * 100;
    if (out->limited) {
        out->used = limit_used(id, samples);
        out->passed = out->used <= 1;
    }
}
