/* For core/gather*.c: events made of notes, and of what nobody noted. */
#ifndef CORE_GATHER_EVENT_H
#define CORE_GATHER_EVENT_H

#include "core/gate.h"
#include "core/gather.h"
#include "core/journal.h"

static inline int16_t epochs_after(uint16_t epoch, uint64_t noted)
{
    return (int16_t)(epoch - noted_epoch(noted));
}

static inline uint64_t gather_gate(const struct gather *g, uint32_t slot)
{
    return atomic_load_explicit(&segment_slot(g->segment, slot)->gate, memory_order_acquire);
}

/* What a note says, as far as it can be believed; false: there is no such breaker (any more). */
bool gather_event_of(const struct gather *, const struct journal_entry *, uint64_t now_ms, struct event *out);

#endif
