/* What the dead and the calls that are over have left in the lanes and in the bulkheads. */
#ifndef CHAOS_REMAINS_H
#define CHAOS_REMAINS_H

#include "core/segment.h"
#include "crew.h"

/* While nobody calls: is anything left? Says so in `what`. */
bool remains_found(const struct segment *, const struct crew *, char what[160]);

#endif
