/* Everybody who takes part. */
#ifndef CHAOS_STAGE_H
#define CHAOS_STAGE_H

#include "annals.h"
#include "campaign.h"
#include "oracle.h"

struct stage {
    const struct plan *plan;
    struct report *report;
    struct dice dice;
    struct keeper keeper;
    struct hand self; /* the oracle's own, and what half of the workers inherit */
    struct crew crew;
    struct desk desk;
    struct oracle oracle;
    struct annals annals;
    uint32_t pauses;
};

#endif
