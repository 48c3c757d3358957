/* Applying outcomes; shared by the call path and the reaper. */
#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include "core/call.h"

/* What the call described by the lane word `call` (slot, epoch) does to its breaker. `took_ns` TOOK_MEASURED: unknown. */
void outcome_apply(const struct segment *, uint64_t call, enum outcome, uint64_t took_ns, struct actor);

/* Nobody can tell whether the call, found pending, still holds the probe that it names: the half-open phase ends, if it is
 * still that one. */
void probe_lost(const struct segment *, uint64_t call, struct actor holder);

/* Free a lane entry; it keeps its sequence, so that its next call is another one. Releases what the call did to
 * whoever claims it next. */
static inline void entry_free(const struct segment *segment, uint32_t entry, uint64_t call)
{
    atomic_store_explicit(&lane_call(segment, entry)->call, call_freed(call), memory_order_release);
}

#endif
