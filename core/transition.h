/* Swapping a gate's word, with what belongs to it: the count of transitions and the journal. */
#ifndef CORE_TRANSITION_H
#define CORE_TRANSITION_H

#include "core/call.h"

/* What a transition was decided by; what they are goes by the cause (core/sentence.c). */
struct numbers {
    uint64_t value, of, threshold;
};

/* The value behind an override's end that was no end of its time. */
#define NUMBER_BY_HAND 1

/* Swap `step` in for `word`. False: the word has changed meanwhile (*word is the new one). When the epoch changes, the
 * transition is counted and journalled with `numbers` (NULL: none) and `actor`. */
bool transition_swap(const struct segment *, uint32_t slot, uint64_t *word, struct gate_step step,
                     const struct numbers *numbers, struct actor actor);

/* gate_step() and transition_swap() until one of them stands. Returns the step that did. `numbers` NULL: those of the
 * probes, where they decide. */
struct gate_step transition_apply(const struct segment *, uint32_t slot, struct gate_input, const struct policy *,
                                  const struct numbers *numbers, struct actor);

/* Transitions of a slot since its breaker was created. */
uint64_t transition_count(const struct slot *);
/* The epoch in which it was created. */
uint16_t transition_origin(const struct slot *);

#endif
