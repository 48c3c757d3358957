/* A breaker between the memory and its entry in the state file. */
#ifndef REGISTRYD_STATE_BREAKER_H
#define REGISTRYD_STATE_BREAKER_H

#include "core/segment.h"
#include "registryd/state_entry.h"

/* The entry of a slot's breaker at `wall_ms` of wall-clock time, which is now; false: the slot has none. Takes no lock and
 * may run in any thread. */
bool state_breaker_read(const struct segment *, uint32_t slot, uint64_t wall_ms, struct state_entry *);

/* Changes when what the entries hold does. */
uint64_t state_breaker_mark(const struct segment *);

/* How long it still has at `wall_ms`: until its end, but never longer than it had when it was written (`saved_ms`; 0:
 * not known), so that a wall clock that was set back prolongs nothing. */
uint64_t state_breaker_left_ms(const struct state_entry *, uint64_t saved_ms, uint64_t wall_ms);

/* Create the breaker as the entry has it. Only in memory that nobody else has yet. 0, or a negative error of
 * panel_create() with its text; -EEXIST: there is one of that name. */
int state_breaker_create(struct segment *, const struct state_entry *, uint64_t saved_ms, uint64_t wall_ms,
                         char error[SEGMENT_ERROR_SIZE]);

#endif
