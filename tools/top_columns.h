/* The columns of `cbctl top`'s table: which of them a terminal has room for, and what stands in them. */
#ifndef TOOLS_TOP_COLUMNS_H
#define TOOLS_TOP_COLUMNS_H

#include <stdbool.h>

#include "top_model.h"

enum top_column {
    COLUMN_NAME,
    COLUMN_STATE,
    COLUMN_CALLS,
    COLUMN_FAILED,
    COLUMN_SLOW,
    COLUMN_REJECTED,
    COLUMN_IN_FLIGHT,
    COLUMN_SPARK,
    COLUMN_NEXT,
    COLUMN_CHANGED,
    COLUMN_COUNT
};

/* Widths; 0: no room for that one. Columns stand in the order above, a blank between them. */
struct top_layout {
    unsigned width[COLUMN_COUNT];
};

/* For a terminal of `width` columns and names of at most `longest`. */
struct top_layout layout_make(unsigned width, unsigned longest);

const char *column_heading(enum top_column);
/* Numbers stand to the right. */
bool column_right(enum top_column);

#define CELL_TEXT 72
/* What stands in a cell (not in COLUMN_SPARK's, which is drawn by column). `now_ms`: CLOCK_MONOTONIC. Returns `out`. */
const char *cell_text(const struct top_row *, enum top_column, uint64_t now_ms, char out[CELL_TEXT]);

#endif
