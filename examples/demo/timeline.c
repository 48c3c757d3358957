#include "timeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMN     43
#define WAIT_US    250000 /* a crew's moments of this long are one line */
#define SETTLED_US 150000 /* and may stand beside the other crew's when the last one is probably in */

static const char rule[] = "-------------------------------------------";

const char *timeline_shade(const struct timeline *timeline, enum shade shade)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"};
    return timeline->colour ? codes[shade] : "";
}

void timeline_init(struct timeline *timeline)
{
    const char *terminal = getenv("TERM");
    *timeline = (struct timeline){0};
    timeline->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && terminal && strcmp(terminal, "dumb") != 0;
}

static void stamp(const struct timeline *timeline, uint64_t at_us)
{
    printf("%s%6.1f s%s  ", timeline_shade(timeline, SHADE_DIM), (double)(at_us - timeline->zero_us) / 1e6,
           timeline_shade(timeline, SHADE_PLAIN));
}

static void cell(const struct timeline *timeline, enum shade shade, const char *text, int width)
{
    printf("%s%-*s%s", shade == SHADE_PLAIN ? "" : timeline_shade(timeline, shade), width, text,
           shade == SHADE_PLAIN ? "" : timeline_shade(timeline, SHADE_PLAIN));
}

void timeline_begin(struct timeline *timeline, const char *left, const char *right)
{
    timeline->zero_us = now_us();
    printf("    time  ");
    cell(timeline, SHADE_BOLD, left, COLUMN + 2);
    cell(timeline, SHADE_BOLD, right, 0);
    printf("\n%s--------  %s  %s%s\n", timeline_shade(timeline, SHADE_DIM), rule, rule,
           timeline_shade(timeline, SHADE_PLAIN));
    fflush(stdout);
}

void timeline_pair(struct timeline *timeline, const char *left, const char *right)
{
    stamp(timeline, now_us());
    printf("%-*s  %s\n", COLUMN, left, right);
    fflush(stdout);
}

void timeline_note(struct timeline *timeline, const char *format, ...)
{
    char text[96];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    stamp(timeline, now_us());
    cell(timeline, SHADE_YELLOW, text, 0);
    putchar('\n');
    fflush(stdout);
}

void timeline_add(struct timeline *timeline, unsigned crew, unsigned moments, uint64_t at_us)
{
    for (unsigned moment = 0; moment < MOMENTS; moment++)
        timeline->pending[crew][moment] += moments >> moment & 1;
    if (moments && timeline->since_us[crew] == 0)
        timeline->since_us[crew] = at_us;
}

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

/* What to say of `n` moments of one kind. */
static enum shade phrase(const struct crew *crew, enum moment moment, unsigned n, char out[COLUMN + 1])
{
    const size_t size = COLUMN + 1;
    switch (moment) {
    case MOMENT_TIMEOUT:
        snprintf(out, size, "%u call%s timed out", n, plural(n));
        return SHADE_PLAIN;
    case MOMENT_TOLD:
        snprintf(out, size, "OPEN: %u of %u workers fail fast", crew->told, crew->live);
        return SHADE_RED;
    case MOMENT_PROBE:
        snprintf(out, size, "%u probe%s sent", n, plural(n));
        return SHADE_PLAIN;
    case MOMENT_PROBE_TIMEOUT:
        snprintf(out, size, "%u probe%s timed out: stays open", n, plural(n));
        return SHADE_PLAIN;
    case MOMENT_PROBE_SERVED:
        snprintf(out, size, "%u probe%s answered: CLOSED", n, plural(n));
        return SHADE_GREEN;
    case MOMENT_BACK:
        snprintf(out, size, "%u of %u workers are served again", crew->back, crew->live);
        return SHADE_GREEN;
    case MOMENTS:
        break;
    }
    return SHADE_PLAIN;
}

/* Take the crew's next moment that has something to tell; "": none. */
static enum shade phrase_next(unsigned pending[MOMENTS], const struct crew *crew, char out[COLUMN + 1])
{
    out[0] = '\0';
    for (enum moment moment = 0; moment < MOMENTS; moment++) {
        unsigned n = pending[moment];
        if (n > 0) {
            pending[moment] = 0;
            return phrase(crew, moment, n, out);
        }
    }
    return SHADE_PLAIN;
}

/* Print what these crews have pending, from `since` on. */
static void rows_print(struct timeline *timeline, unsigned pending[CREWS][MOMENTS], const struct crew crews[CREWS],
                       uint64_t since)
{
    for (;;) {
        char left[COLUMN + 1], right[COLUMN + 1];
        enum shade shades[] = {phrase_next(pending[CREW_SHARED], &crews[CREW_SHARED], left),
                               phrase_next(pending[CREW_PRIVATE], &crews[CREW_PRIVATE], right)};
        if (!left[0] && !right[0])
            break;
        stamp(timeline, since);
        cell(timeline, shades[0], left, right[0] ? COLUMN + 2 : 0);
        cell(timeline, shades[1], right, 0);
        putchar('\n');
    }
    fflush(stdout);
}

static bool waiting(const struct timeline *timeline, unsigned crew, uint64_t now, uint64_t least_us)
{
    return timeline->since_us[crew] != 0 && now >= timeline->since_us[crew] + least_us;
}

bool timeline_quiet(const struct timeline *timeline)
{
    return timeline->since_us[CREW_SHARED] == 0 && timeline->since_us[CREW_PRIVATE] == 0;
}

void timeline_flush(struct timeline *timeline, const struct crew crews[CREWS])
{
    unsigned pending[CREWS][MOMENTS] = {0};
    uint64_t now = now_us(), since = now;
    if (!waiting(timeline, CREW_SHARED, now, WAIT_US) && !waiting(timeline, CREW_PRIVATE, now, WAIT_US))
        return;
    for (unsigned crew = 0; crew < CREWS; crew++) {
        if (!waiting(timeline, crew, now, SETTLED_US))
            continue;
        memcpy(pending[crew], timeline->pending[crew], sizeof pending[crew]);
        memset(timeline->pending[crew], 0, sizeof pending[crew]);
        if (timeline->since_us[crew] < since)
            since = timeline->since_us[crew];
        timeline->since_us[crew] = 0;
    }
    rows_print(timeline, pending, crews, since);
}
