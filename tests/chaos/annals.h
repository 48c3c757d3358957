/* What the registry's events tell of the breakers that last: read as they come, and held against each other. */
#ifndef CHAOS_ANNALS_H
#define CHAOS_ANNALS_H

#include "cast.h"
#include "core/segment.h"
#include "report.h"

struct annals {
    struct report *report;
    const struct segment *segment;
    uint64_t next; /* the number of the next event */
    struct {
        bool known;
        uint16_t epoch;
        uint8_t state;
    } last[CAST_LASTING]; /* where its newest event took it */
};

/* Read on. Each transition is one epoch further than the one before it, and begins where that ended. */
void annals_read(struct annals *);

/* Nothing changes any more: do the events end where the breakers are? Says what is missing in `what`. */
bool annals_are_behind(struct annals *, char what[160]);

#endif
