/* Whose requests are answered at all. A browser on this host runs pages of others, and a name of theirs may be made to
 * lead to us (DNS rebinding): so the Host header must be an address, localhost or the name that was configured, and a
 * page that asks must come from there. */
#ifndef REGISTRYD_HTTP_GUARD_H
#define REGISTRYD_HTTP_GUARD_H

#include <microhttpd.h>
#include <stdbool.h>

#include "registryd/http_address.h"

/* Does a Host header's value name us? NULL does not. */
bool http_host_is_ours(const struct http_address *, const char *host);

/* Is an Origin header's value the page that we serve as `host`? NULL is: no page asks, or ours does. */
bool http_origin_is_ours(const char *origin, const char *host);

/* True: go on. False: *result is what the access handler returns, the refusal is queued. */
bool http_guard(const struct http_address *, struct MHD_Connection *, enum MHD_Result *result);

#endif
