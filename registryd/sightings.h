/* Since when calls have been in flight. A worker does not write down when it begins a plain call (that would be paid for
 * with every call), so the daemon looks once a second and remembers, in memory of its own, what it saw first when. */
#ifndef REGISTRYD_SIGHTINGS_H
#define REGISTRYD_SIGHTINGS_H

#include <stdbool.h>
#include <uv.h>

#include "core/segment.h"
#include "registryd/reply.h"

struct sighting {
    uint32_t sequence; /* of the call, in its lane entry */
    uint64_t since_ms; /* 0: none was seen there yet */
};

struct sightings {
    const struct segment *segment;
    struct sighting *first; /* by lane entry */
    uv_timer_t timer;
};

bool sightings_start(struct sightings *, uv_loop_t *, const struct segment *);
void sightings_stop(struct sightings *); /* the loop must run on until the handle is closed */

/* Note the calls that have begun since the last look. */
void sightings_look(struct sightings *);

/* Those in flight from lane entry `from` on, as many as fit into a packet. */
void sightings_page(const struct sightings *, uint32_t from, struct reply *);

#endif
