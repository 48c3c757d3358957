/* Bulkhead places: max_concurrent calls on the whole host. A place is one word that names the call which holds it, so
 * it can be counted, taken and given back by single compare-and-swaps, and never outlives its holder unseen. */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include <stdbool.h>

#include "core/panel.h"

/* Take a place for the call in lane entry `entry`: its number + 1, or 0: all are taken. */
uint32_t place_take(const struct segment *, const struct policy_view *, uint32_t entry, uint64_t call);
/* Give it back, if that call still holds it. `place` is a number + 1; 0 does nothing. */
void place_release(const struct segment *, uint32_t place, uint32_t entry, uint64_t call);
/* How many are taken of the policy's max_concurrent. */
uint32_t place_count_taken(const struct segment *, const struct policy_view *);
/* Find and give back the place of a call whose holder cannot say which it was. */
void place_release_of(const struct segment *, const struct policy_view *, uint32_t entry, uint64_t call);

/* A place that no call in flight on `slot` holds was not taken by one: free it. True: it was so. */
bool place_repair(const struct segment *, uint32_t place, uint32_t slot);

#endif
