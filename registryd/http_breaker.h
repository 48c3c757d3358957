/* One breaker as JSON, as `cbctl show --json` prints it. */
#ifndef REGISTRYD_HTTP_BREAKER_H
#define REGISTRYD_HTTP_BREAKER_H

#include <jansson.h>

#include "registryd/http_census.h"
#include "registryd/http_request.h"

/* The caller's reference; NULL: it was removed meanwhile, or no memory. */
json_t *http_breaker_json(const struct segment *, const struct http_subject *);

/* The slot of breaker `name`; -1: there is none, and *result is what the access handler returns. */
int64_t http_breaker_find(struct http_request *, const char *name, enum MHD_Result *result);

enum MHD_Result http_breaker_show(struct http_request *, const char *name);

#endif
