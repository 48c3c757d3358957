/*
 * How far long work is: one line on standard error that is drawn anew and is gone at the end. Where standard error is no
 * terminal nothing is drawn at all, nor in the first half second: what is short needs no line.
 */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool wanted; /* there is a terminal */
    bool drawn;
    uint64_t next_ms; /* when it may be drawn again */
};

void progress_begin(struct progress *);

/* Is it time to draw? Costs little, for work that comes by often. */
bool progress_due(const struct progress *);

/* Draw the line, if it is time; cut to the terminal's width. */
__attribute__((format(printf, 2, 3))) void progress_say(struct progress *, const char *format, ...);

/* Take the line away: at the end, and before anything else is printed. */
void progress_clear(struct progress *);

#endif
