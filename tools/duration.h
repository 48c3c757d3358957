/* Durations as people write and read them. */
#ifndef TOOLS_DURATION_H
#define TOOLS_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#define DURATION_MAX_MS UINT64_C(315360000000) /* ten years */
#define DURATION_TEXT   24

/* "1500", "1500ms", "90s", "2m", "1h": a whole number, in milliseconds if it has no unit. At most ten years. */
bool duration_parse(const char *text, uint64_t *ms);

/* "850ms", "12s", "3m20s", "2h", "3d4h": rounded up, so that nobody comes back too early. Returns `out`. */
const char *duration_text(uint64_t ms, char out[DURATION_TEXT]);

#endif
