/* Rounds of random kills and stops under load, each with a rest in which the oracle looks. */
#ifndef CHAOS_CAMPAIGN_H
#define CHAOS_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

struct plan {
    uint64_t seed;
    unsigned seconds, kills; /* it ends after either; kills 0: any number */
    const char *registryd, *cbctl;
};

/* Until the plan's end, the first round with a violation, or SIGINT or SIGTERM. False: it could not begin. */
bool campaign_run(const struct plan *, struct report *);

#endif
