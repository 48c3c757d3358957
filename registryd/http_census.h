/* All breakers with their counts, at one moment (or nearly: they are looked at some hundred at a time). */
#ifndef REGISTRYD_HTTP_CENSUS_H
#define REGISTRYD_HTTP_CENSUS_H

#include <stdbool.h>

#include "core/call.h"

struct http_subject {
    char name[NAME_SIZE];
    uint32_t slot;
    uint64_t commit;     /* the block's word */
    uint64_t created_ms; /* since 1970 */
    uint32_t in_flight;
    struct tally tally;
};

struct http_census {
    struct segment *segment;
    struct http_subject *subjects; /* sorted by name when complete */
    uint32_t count, room;
    uint32_t next;       /* the slot to look at next */
    uint32_t *in_flight; /* by slot */
};

void http_census_init(struct http_census *, struct segment *);
void http_census_finish(struct http_census *);

/* Look at some more. 1: complete; 0: call again; -ENOMEM. */
int http_census_step(struct http_census *);

#endif
