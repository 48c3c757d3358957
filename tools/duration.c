#include "duration.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint64_t ms;
} units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

static uint64_t unit_ms(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(units[i].name, name))
            return units[i].ms;
    return 0;
}

bool duration_parse(const char *text, uint64_t *ms)
{
    if (!isdigit((unsigned char)*text)) /* strtoull would take a sign or a space */
        return false;
    char *unit;
    errno = 0;
    uint64_t number = strtoull(text, &unit, 10);
    uint64_t each = unit_ms(unit);
    if (errno || !each || number > DURATION_MAX_MS / each)
        return false;
    *ms = number * each;
    return true;
}

const char *duration_text(uint64_t ms, char out[DURATION_TEXT])
{
    static const struct {
        uint64_t whole, part; /* seconds */
        char unit, part_unit;
    } scales[] = {{86400, 3600, 'd', 'h'}, {3600, 60, 'h', 'm'}, {60, 1, 'm', 's'}, {1, 1, 's', 's'}};
    uint64_t seconds = ms / 1000 + (ms % 1000 != 0);
    size_t i = 0;
    if (ms < 1000) {
        snprintf(out, DURATION_TEXT, "%" PRIu64 "ms", ms);
        return out;
    }
    while (seconds < scales[i].whole)
        i++;
    uint64_t rest = seconds % scales[i].whole / scales[i].part;
    int length = snprintf(out, DURATION_TEXT, "%" PRIu64 "%c", seconds / scales[i].whole, scales[i].unit);
    if (rest)
        snprintf(out + length, DURATION_TEXT - (size_t)length, "%" PRIu64 "%c", rest, scales[i].part_unit);
    return out;
}
