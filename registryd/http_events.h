/* Events over HTTP, as they happen (server-sent events). A listener has a place in the ring of events and reads on from
 * there when it has room: one that is slow is told what it missed, and nobody waits for it. */
#ifndef REGISTRYD_HTTP_EVENTS_H
#define REGISTRYD_HTTP_EVENTS_H

#include "registryd/http_request.h"

/* ?breaker=NAME: only those of one breaker. Those after Last-Event-ID, or ?after=SEQUENCE, as far as they are still there;
 * else only what happens from now on. */
enum MHD_Result http_events_send(struct http_request *, const char *rest);

void http_events_start(struct http *);
/* Every second or so: who is still there, who has heard nothing for long? */
void http_events_turn(struct http *);
/* End them all, before libmicrohttpd's daemon ends. */
void http_events_stop(struct http *);

#endif
