/* The registry's memory as its daemon has it. */
#ifndef REGISTRYD_REGISTRY_H
#define REGISTRYD_REGISTRY_H

#include <stdbool.h>

#include "core/segment.h"
#include "registryd/chronicle.h"
#include "registryd/config.h"

struct registry {
    char name[NAME_SIZE];
    struct segment segment;
    struct chronicle chronicle;
    bool timed; /* some breaker has a call_timeout */
};

/* Take over the memory that is there, or create it, with `content` in it. `capacity` 0: as it is, or the usual. `group`:
 * who else may use it, or (gid_t)-1. False: why not has been said. */
bool registry_open(struct registry *, const char *name, uint32_t capacity, gid_t group, const char *socket,
                   const struct segment_content *content);
/* Unmap; the memory stays. */
void registry_close(struct registry *);

/* Remove the memory of a registry that nobody serves. False: why not has been said. */
bool registry_purge(const char *name);

/* Create the configured breakers that are missing, and give the others their policy; states stay. */
void registry_apply(struct registry *, const struct config *);

/* After a policy has changed or gone: is there still a call_timeout? */
void registry_look(struct registry *);

uint32_t registry_count(const struct registry *); /* breakers */

#endif
