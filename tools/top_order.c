#include "top_order.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int descending(double a, double b)
{
    return (a < b) - (a > b);
}

static int by_name(const struct top_row *a, const struct top_row *b)
{
    return strcmp(a->name, b->name);
}

/* Rates in steps, so that those that are about the same do not change places at each look. */
static double step_percent(double percent)
{
    return percent > 0 ? floor(percent / 10) + 1 : 0;
}

static double step_rate(double rate)
{
    return rate > 0 ? ceil(log2(rate + 1) / 2) : 0;
}

static int by_trouble(const struct top_row *a, const struct top_row *b)
{
    static const int ranks[TOP_STATES] = {[CB_OPEN] = 0,     [CB_FORCED_OPEN] = 0,  [CB_HALF_OPEN] = 1,
                                          [CB_DISABLED] = 2, [CB_METRICS_ONLY] = 2, [CB_CLOSED] = 3};
    int rank = ranks[a->counts.state % TOP_STATES] - ranks[b->counts.state % TOP_STATES];
    if (rank)
        return rank;
    int failed = descending(step_percent(a->rates.failed), step_percent(b->rates.failed));
    return failed ? failed : descending(step_rate(a->rates.rejected), step_rate(b->rates.rejected));
}

static int by_calls(const struct top_row *a, const struct top_row *b)
{
    return descending(a->rates.calls, b->rates.calls);
}

static int by_failed(const struct top_row *a, const struct top_row *b)
{
    return descending(a->rates.failed, b->rates.failed);
}

static int by_slow(const struct top_row *a, const struct top_row *b)
{
    return descending(a->rates.slow, b->rates.slow);
}

static int by_rejected(const struct top_row *a, const struct top_row *b)
{
    return descending(a->rates.rejected, b->rates.rejected);
}

static int by_in_flight(const struct top_row *a, const struct top_row *b)
{
    return descending((double)a->counts.in_flight, (double)b->counts.in_flight);
}

static int by_changed(const struct top_row *a, const struct top_row *b)
{
    return descending((double)a->changed_ms, (double)b->changed_ms);
}

typedef int comparison(const struct top_row *, const struct top_row *);

static const struct {
    const char *name;
    comparison *compare;
} orders[ORDER_COUNT] = {
    [ORDER_TROUBLE] = {"trouble", by_trouble},
    [ORDER_NAME] = {"name", by_name},
    [ORDER_CALLS] = {"calls", by_calls},
    [ORDER_FAILED] = {"failures", by_failed},
    [ORDER_SLOW] = {"slow calls", by_slow},
    [ORDER_REJECTED] = {"rejections", by_rejected},
    [ORDER_IN_FLIGHT] = {"calls in flight", by_in_flight},
    [ORDER_CHANGED] = {"last change", by_changed},
};

const char *order_name(enum top_order order)
{
    return orders[order].name;
}

bool filter_match(const char *filter, const char *name)
{
    if (strpbrk(filter, "*?["))
        return !fnmatch(filter, name, FNM_CASEFOLD);
    return strcasestr(name, filter) != NULL;
}

static int row_compare(const void *a, const void *b, void *order)
{
    const struct top_row *const *left = a, *const *right = b;
    int result = (*(comparison *const *)order)(*left, *right);
    return result ? result : by_name(*left, *right);
}

size_t order_rows(const struct top_model *model, const char *filter, enum top_order order, struct top_row **out)
{
    size_t count = 0;
    comparison *compare = orders[order].compare;
    for (size_t i = 0; i < model->count; i++)
        if (filter_match(filter, model->rows[i]->name))
            out[count++] = model->rows[i];
    qsort_r(out, count, sizeof *out, row_compare, &compare);
    return count;
}
