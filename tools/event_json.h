/* An event as JSON. */
#ifndef TOOLS_EVENT_JSON_H
#define TOOLS_EVENT_JSON_H

#include <jansson.h>

#include <cbclient.h>

/* The object that history and watch print; its keys are in cbctl(1). */
json_t *json_event(const struct cb_event *);

/* Print it as one line, and drop it. */
void json_line(json_t *value);

#endif
