/* One event as JSON, as `cbctl watch --json` prints it. */
#ifndef REGISTRYD_HTTP_EVENT_H
#define REGISTRYD_HTTP_EVENT_H

#include <jansson.h>

#include "core/events.h"

/* The caller's reference; NULL: no memory. */
json_t *http_event_json(const struct event *);

/* The event that tells a reader that it has missed `count` others. */
struct event http_event_missed(const struct segment *, uint64_t count);

#endif
