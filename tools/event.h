/* How events and their actors read. */
#ifndef TOOLS_EVENT_H
#define TOOLS_EVENT_H

#include <stdint.h>

#include <cbclient.h>

#define EVENT_TEXT 192

/* Milliseconds since an event's time (CLOCK_MONOTONIC, as cb_event has it). */
uint64_t event_age_ms(const struct cb_event *);
/* The wall-clock time of an event, here: "11-20 22:41:03.123". All return `out`. */
const char *event_time(const struct cb_event *, char out[EVENT_TEXT]);
/* Milliseconds since 1970 in UTC: "2026-11-20T21:41:03.123Z". */
const char *time_rfc3339(uint64_t wall_ms, char out[EVENT_TEXT]);
/* Why, without the state that it led to: "5 consecutive failures (threshold 5)". */
const char *event_cause(const struct cb_event *, char out[EVENT_TEXT]);
/* Who: "root (cbctl[1234])" for a control action, "php-fpm[1234]" for a worker, "registryd". */
const char *event_actor(const struct cb_event *, char out[EVENT_TEXT]);

/* A user's name, or the number of one that has none. */
const char *user_name(uint32_t uid, char out[EVENT_TEXT]);

#endif
