/* What an administrator does over HTTP: trip, reset, override. Only with the token. */
#ifndef REGISTRYD_HTTP_ACTION_H
#define REGISTRYD_HTTP_ACTION_H

#include "registryd/http_request.h"

/* POST NAME/ACTION with {"reason": TEXT, "for_ms": N}, both optional. Answers with the breaker as it is then. */
enum MHD_Result http_action_run(struct http_request *, const char *name_and_action);

#endif
