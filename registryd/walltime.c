#include "registryd/walltime.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t walltime_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void walltime_format(uint64_t ms, char out[WALLTIME_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t length = strftime(out, WALLTIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + length, WALLTIME_SIZE - length, ".%03uZ", (unsigned)(ms % 1000));
}

/* What was read must be what would be written. */
bool walltime_parse(const char *text, uint64_t *ms)
{
    struct tm tm = {0};
    char again[WALLTIME_SIZE];
    unsigned milliseconds;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL || sscanf(rest, ".%3uZ", &milliseconds) != 1)
        return false;
    time_t seconds = timegm(&tm);
    if (seconds < 0 || tm.tm_year > 9999 - 1900)
        return false;
    *ms = (uint64_t)seconds * 1000 + milliseconds;
    walltime_format(*ms, again);
    return strcmp(text, again) == 0;
}
