#include "top_columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"

#define NAME_LEAST  12
#define NAME_USUAL  18 /* before slow calls get a column */
#define NAME_ENOUGH 32 /* beyond that a longer sparkline is worth more */
#define SPARK_LEAST 8

static const struct {
    const char *heading;
    unsigned width; /* the least, of those that can grow */
    bool right;
} columns[COLUMN_COUNT] = {
    [COLUMN_NAME] = {"BREAKER", NAME_LEAST, false},
    [COLUMN_STATE] = {"STATE", 12, false},
    [COLUMN_CALLS] = {"CALLS/s", 7, true},
    [COLUMN_FAILED] = {"FAIL%", 5, true},
    [COLUMN_SLOW] = {"SLOW%", 5, true},
    [COLUMN_REJECTED] = {"REJ/s", 6, true},
    [COLUMN_IN_FLIGHT] = {"BUSY", 4, true},
    [COLUMN_SPARK] = {"LATELY", SPARK_LEAST, false},
    [COLUMN_NEXT] = {"NEXT", 6, true},
    [COLUMN_CHANGED] = {"SINCE", 6, true},
};

/* Who comes first where there is not room for all. */
static const enum top_column wanted[] = {COLUMN_STATE,    COLUMN_FAILED,    COLUMN_CALLS, COLUMN_NEXT,
                                         COLUMN_REJECTED, COLUMN_IN_FLIGHT, COLUMN_SPARK, COLUMN_CHANGED};

static bool column_add(struct top_layout *layout, enum top_column column, unsigned *left)
{
    unsigned needs = columns[column].width + 1; /* and a blank */
    if (needs > *left)
        return false;
    layout->width[column] = columns[column].width;
    *left -= needs;
    return true;
}

/* Let `column` have up to `most` of what is left. */
static void column_grow(struct top_layout *layout, enum top_column column, unsigned most, unsigned *left)
{
    unsigned has = layout->width[column], more = has && most > has ? most - has : 0;
    more = more < *left ? more : *left;
    layout->width[column] += more;
    *left -= more;
}

static unsigned lesser(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

struct top_layout layout_make(unsigned width, unsigned longest)
{
    struct top_layout layout = {{0}};
    unsigned left = width + 1; /* the first has no blank before it */
    if (!column_add(&layout, COLUMN_NAME, &left)) {
        layout.width[COLUMN_NAME] = width;
        return layout;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && column_add(&layout, wanted[i], &left); i++)
        continue;
    column_grow(&layout, COLUMN_NAME, lesser(longest, NAME_USUAL), &left);
    column_add(&layout, COLUMN_SLOW, &left);
    column_grow(&layout, COLUMN_NAME, lesser(longest, NAME_ENOUGH), &left);
    column_grow(&layout, COLUMN_SPARK, TOP_SAMPLES, &left);
    column_grow(&layout, COLUMN_NAME, longest, &left);
    return layout;
}

const char *column_heading(enum top_column column)
{
    return columns[column].heading;
}

bool column_right(enum top_column column)
{
    return columns[column].right;
}

/* At most five characters: "0.4", "12.5", "1234", "12.3k", "1.2M". "" for nothing at all. */
static void rate_text(double rate, char out[CELL_TEXT])
{
    if (rate <= 0)
        *out = '\0';
    else if (rate < 100)
        snprintf(out, CELL_TEXT, "%.1f", rate);
    else if (rate < 10000)
        snprintf(out, CELL_TEXT, "%.0f", rate);
    else if (rate < 1e6)
        snprintf(out, CELL_TEXT, "%.1fk", rate / 1e3);
    else
        snprintf(out, CELL_TEXT, "%.1fM", rate / 1e6);
}

/* "7.5", "100". "" for 0. */
static void percent_text(double percent, char out[CELL_TEXT])
{
    if (percent <= 0)
        *out = '\0';
    else
        snprintf(out, CELL_TEXT, percent < 99.95 ? "%.1f" : "%.0f", percent);
}

static void count_text(uint64_t count, char out[CELL_TEXT])
{
    if (!count)
        *out = '\0';
    else if (count < 10000)
        snprintf(out, CELL_TEXT, "%" PRIu64, count);
    else
        snprintf(out, CELL_TEXT, "%" PRIu64 "k", count / 1000);
}

/* Until the next probe, or the end of an override. */
static void next_text(const struct top_row *row, char out[CELL_TEXT])
{
    uint64_t left = row->override_left_ms ? row->override_left_ms : row->retry_after_ms;
    char text[DURATION_TEXT];
    *out = '\0';
    if (left == UINT64_MAX)
        strcpy(out, "never");
    else if (left)
        strcpy(out, duration_text((left + 999) / 1000 * 1000, text));
}

static void changed_text(const struct top_row *row, uint64_t now_ms, char out[CELL_TEXT])
{
    char text[DURATION_TEXT];
    uint64_t seconds = now_ms > row->changed_ms ? (now_ms - row->changed_ms) / 1000 : 0;
    *out = '\0';
    if (row->changed_ms)
        strcpy(out, seconds ? duration_text(seconds * 1000, text) : "now");
}

const char *cell_text(const struct top_row *row, enum top_column column, uint64_t now_ms, char out[CELL_TEXT])
{
    *out = '\0';
    if (column == COLUMN_NAME)
        snprintf(out, CELL_TEXT, "%s", row->name);
    else if (column == COLUMN_STATE)
        snprintf(out, CELL_TEXT, "%s", cb_state_name((enum cb_state)row->counts.state));
    else if (column == COLUMN_CALLS)
        rate_text(row->rates.calls, out);
    else if (column == COLUMN_FAILED)
        percent_text(row->rates.failed, out);
    else if (column == COLUMN_SLOW)
        percent_text(row->rates.slow, out);
    else if (column == COLUMN_REJECTED)
        rate_text(row->rates.rejected, out);
    else if (column == COLUMN_IN_FLIGHT)
        count_text(row->counts.in_flight, out);
    else if (column == COLUMN_NEXT)
        next_text(row, out);
    else if (column == COLUMN_CHANGED)
        changed_text(row, now_ms, out);
    return out;
}
