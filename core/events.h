/*
 * The events: what happened to the registry's breakers, in order, a ring in the panel. Workers only read it, so it is
 * as good as whoever writes the panel: the daemon, or `cbctl --offline` while there is none (core/scribe.h).
 *
 * An event is written down once: `control.noted` has each slot's newest transition, so that a transition that is found
 * again (in the journal, or after a crash) is known. A breaker's epochs go on when its slot gets another one, so slot
 * and epoch name a transition.
 */
#ifndef CORE_EVENTS_H
#define CORE_EVENTS_H

#include "core/segment.h"
#include "core/words.h"

/* control.noted: bit 63 valid; bits 47..32 incarnation; bits 23..16 state; bits 15..0 epoch. */
#define NOTED_VALID (UINT64_C(1) << 63)
static inline uint64_t noted_make(uint16_t incarnation, uint8_t state, uint16_t epoch)
{
    return NOTED_VALID | (uint64_t)incarnation << 32 | (uint64_t)state << 16 | epoch;
}
static inline uint16_t noted_epoch(uint64_t noted)
{
    return (uint16_t)noted;
}
static inline uint8_t noted_state(uint64_t noted)
{
    return (uint8_t)(noted >> 16);
}
static inline uint16_t noted_incarnation(uint64_t noted)
{
    return (uint16_t)(noted >> 32);
}
uint64_t events_noted(const struct segment *, uint32_t slot);

/* Is it one that took its breaker into its epoch? The others (a policy changed, a breaker removed) change none. */
bool event_is_transition(const struct event *);
/* A filled event may be about a gate that stands before the newest event's epoch. Nobody knows how it got there: somebody
 * wrote over it, or it has gone once around while nobody wrote events. What comes next follows from this one. */
static inline bool event_rewinds(const struct event *event)
{
    return event->cause == CAUSE_LOST && event->value == 0;
}
/* What its slot's word is once it is written down. */
static inline uint64_t event_noted(const struct event *event)
{
    return noted_make(event->incarnation, event->to, event->epoch);
}

uint64_t events_last(const struct segment *); /* the newest event's number; 0: there is none */
/* The oldest that is still there; events_last() + 1 if there is none. Nobody is writing over any of those between the
 * two, also not a writer that was stopped or killed over it: who cannot read one of them finds others when he asks
 * again. */
uint64_t events_first(const struct segment *);
/* false: overwritten, or not there yet. */
bool events_read(const struct segment *, uint64_t sequence, struct event *out);

/* Write it down under the header's mutex: it gets the next number. A writer that is killed at any moment has written it
 * whole or not at all. 0, or why the mutex cannot be had. */
int events_append(struct segment *, struct event *);

/* What a writer that was killed left half done: the newest event's number, and what is noted of each slot. */
int events_repair(struct segment *);

#define EVENT_TEXT_SIZE 192
/* What happened, as a sentence: "open: 5 consecutive failures (threshold 5)". A pure function. Returns `out`. */
const char *event_text(const struct event *, char out[EVENT_TEXT_SIZE]);

#endif
