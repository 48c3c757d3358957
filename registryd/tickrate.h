/* How long a tick of the processor's counter is (core/ticks.h), measured against CLOCK_MONOTONIC, again and again. */
#ifndef REGISTRYD_TICKRATE_H
#define REGISTRYD_TICKRATE_H

#include <stdbool.h>

#include "core/layout.h"

struct tickrate {
    int source;         /* the file that names what the kernel makes its clocks of; negative: there is none */
    uint64_t ticks, ns; /* both clocks, when they were last read */
    uint64_t measured;  /* the length of a tick between the last two times; 0: not known */
};

void tickrate_start(struct tickrate *, const char *source);
void tickrate_stop(struct tickrate *);

/* To be called every now and then. `tick` is what workers read; it is written only if it changes. */
void tickrate_turn(struct tickrate *, au64 *tick);

/* What to publish, after `published`, when two measurements running have found `before` and `now` (0: not known).
 * `trusted`: does the kernel use that counter? */
uint64_t tickrate_next(uint64_t published, uint64_t before, uint64_t now, bool trusted);

#endif
