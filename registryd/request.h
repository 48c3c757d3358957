/* Requests: a function a kind, and who may. */
#ifndef REGISTRYD_REQUEST_H
#define REGISTRYD_REQUEST_H

#include "registryd/access.h"
#include "registryd/reaper.h"
#include "registryd/registry.h"
#include "registryd/reply.h"
#include "registryd/sightings.h"

struct state;

/* What requests are about. */
struct service {
    struct registry *registry;
    struct reaper *reaper;
    const struct access *access;
    uint64_t started_ms;
    struct sightings *sightings;
    const struct state *state;
};

/* Answer one packet of `peer`. `first`: it is the connection's first. */
void request_answer(struct service *, const struct peer *, bool first, const uint8_t *packet, size_t length,
                    struct reply *);

#endif
