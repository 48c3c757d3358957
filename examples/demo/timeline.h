/* The story as it happens: what the two crews live through, side by side, what belongs together in one line. */
#ifndef DEMO_TIMELINE_H
#define DEMO_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "crew.h"

struct timeline {
    uint64_t zero_us;         /* its time 0 */
    uint64_t since_us[CREWS]; /* the oldest moment not yet printed; 0: none */
    unsigned pending[CREWS][MOMENTS];
    bool colour;
};

void timeline_init(struct timeline *);
void timeline_begin(struct timeline *, const char *left, const char *right); /* the head; time starts */

/* What one worker of a crew lived through (a set of 1 << enum moment); printed a little later, together with its like. */
void timeline_add(struct timeline *, unsigned crew, unsigned moments, uint64_t at_us);
/* Nothing waits to be printed. */
bool timeline_quiet(const struct timeline *);
/* Print what has waited long enough. */
void timeline_flush(struct timeline *, const struct crew crews[CREWS]);

/* One line for both crews, printed at once; and what happened outside them. */
void timeline_pair(struct timeline *, const char *left, const char *right);
__attribute__((format(printf, 2, 3))) void timeline_note(struct timeline *, const char *format, ...);

enum shade { SHADE_PLAIN, SHADE_BOLD, SHADE_DIM, SHADE_RED, SHADE_GREEN, SHADE_YELLOW };
/* The escape sequence, or "" where there is no terminal. */
const char *timeline_shade(const struct timeline *, enum shade);

#endif
