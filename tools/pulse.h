/* Whether the daemon answers, asked in a thread of its own: an answer may take seconds, a screen must not. */
#ifndef TOOLS_PULSE_H
#define TOOLS_PULSE_H

#include <stdbool.h>

struct pulse;

struct pulse_beat {
    bool known;       /* asked at least once */
    bool up;          /* it answers */
    char version[32]; /* its own; "" while it is not up */
    unsigned workers; /* processes that are attached, but for this one */
};

/* Ask about a registry from now on. NULL: no memory, or no thread. */
struct pulse *pulse_start(const char *registry);
/* What it was last. NULL: nothing is known. */
struct pulse_beat pulse_read(struct pulse *);
/* End it. A thread that waits for the daemon just now ends by itself and frees what it has. */
void pulse_stop(struct pulse *);

#endif
