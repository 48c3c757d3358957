/* How the journal's entries and their actors read. */
#ifndef TOOLS_EVENT_H
#define TOOLS_EVENT_H

#include <stdint.h>

#include <cbclient.h>

#define EVENT_TEXT 80

/* Milliseconds since an event's time (CLOCK_MONOTONIC, as cb_event has it). */
uint64_t event_age_ms(const struct cb_event *);
/* The wall-clock time of an event, by today's clock: "11-20 22:41:03.123". All return `out`. */
const char *event_time(const struct cb_event *, char out[EVENT_TEXT]);
/* "streak of 5", "failure rate 60%", "operator trip". */
const char *event_cause(const struct cb_event *, char out[EVENT_TEXT]);
/* Who: "root (pid 1234)" for an operator, "pid 1234" for a worker, "registryd". */
const char *event_actor(const struct cb_event *, char out[EVENT_TEXT]);

/* A user's name, or the number of one that has none. */
const char *user_name(uint32_t uid, char out[EVENT_TEXT]);

#endif
