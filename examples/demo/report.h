/* What the outage cost, one crew against the other. */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include "crew.h"
#include "timeline.h"

struct outage {
    uint64_t hung_us, recovered_us; /* when the service stopped answering, and answered again */
    uint64_t counted_us;            /* how long after the kill the killed worker's call was counted */
};

void report_print(const struct timeline *, const struct crew crews[CREWS], const struct outage *);

#endif
