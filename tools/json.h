/* JSON output. Times that are "never" and things that are not there are null. */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <jansson.h>

#include <cbclient.h>

/* A string; bytes that are not UTF-8 become '?'. */
json_t *json_text(const char *);
/* A count; UINT64_MAX is null. */
json_t *json_count(uint64_t);

/* A breaker: its state, policy, counts, rates, latency and override. */
json_t *json_health(const struct cb_health *);

/* Print `value` and a newline, and drop it. */
void json_print(json_t *value);

#endif
