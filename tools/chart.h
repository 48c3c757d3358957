/* Charts in text, of block characters where the locale has them, else of ASCII. */
#ifndef TOOLS_CHART_H
#define TOOLS_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHART_LEVELS 8  /* heights of a sparkline's columns */
#define CHART_BYTES  4  /* of one character, at most, with its terminator */
#define BAR_WIDTH    40 /* the longest bar, in columns */
#define BAR_TEXT     (3 * BAR_WIDTH + 1)

/* Are there block characters? By the locale, which main() has set. */
bool chart_blocks(void);

/* How high a column is where `most` is CHART_LEVELS: 0 only for nothing, and at least 1 for anything. */
unsigned spark_level(uint64_t value, uint64_t most);
/* One column of a sparkline: static storage, one character wide. */
const char *spark_text(unsigned level, bool blocks);

/* A bar for `value` where `most` is BAR_WIDTH columns; "" only for nothing. Returns `out`. */
const char *bar_text(uint64_t value, uint64_t most, bool blocks, char out[BAR_TEXT]);

#endif
