/* Swapping a gate's word, with what belongs to it: the count of transitions and the journal. */
#ifndef CORE_TRANSITION_H
#define CORE_TRANSITION_H

#include "core/call.h"

/* Swap `step` in for `word`. False: the word has changed meanwhile (*word is the new one). When the epoch changes, the
 * transition is counted and journalled with `value` and `actor`. */
bool transition_swap(const struct segment *, uint32_t slot, uint64_t *word, struct gate_step step, uint64_t value,
                     struct actor actor);

/* gate_step() and transition_swap() until one of them stands. Returns the step that did. */
struct gate_step transition_apply(const struct segment *, uint32_t slot, struct gate_input, const struct policy *,
                                  uint64_t value, struct actor);

/* Transitions of a slot since its breaker was created. */
uint64_t transition_count(const struct slot *);

#endif
