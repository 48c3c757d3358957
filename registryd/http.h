/* The daemon's HTTP: metrics, health, breakers and events as JSON, the page, and actions for who has the token. Off unless
 * an address is given. It runs inside the daemon's one loop, in small steps, so that no scrape keeps the reaper waiting. */
#ifndef REGISTRYD_HTTP_H
#define REGISTRYD_HTTP_H

#include <stdbool.h>
#include <uv.h>

#include "registryd/http_address.h"
#include "registryd/http_peer.h"
#include "registryd/http_recent.h"
#include "registryd/http_token.h"
#include "registryd/request.h"
#include "registryd/server.h"

struct http {
    struct service *service;
    const struct server *server; /* the control socket's */
    const char *registry;        /* its name */
    uint64_t started_ms;         /* since 1970 */
    struct http_address address;
    struct http_token token;
    struct http_peers peers;
    struct http_recent recent;
    TAILQ_HEAD(, http_listener) listeners; /* to events */
    unsigned listener_count;
    unsigned streams;  /* long answers under way */
    uint64_t wrong_ms; /* when a wrong token was last logged; 0: never */
    struct MHD_Daemon *daemon;
    int fd; /* listens until http_start(); -1: HTTP is off, or libmicrohttpd has it */
    uv_poll_t poll;
    uv_timer_t timer; /* libmicrohttpd's */
    uv_idle_t idle;   /* it has something to do at once */
    bool hurried;     /* it has something to do that no descriptor shows */
    uv_timer_t sweep; /* of peers whose time is over */
};

/* Listen at `address` (without a host: HTTP is off). False: why not has been said. */
bool http_listen(struct http *, const struct http_address *address);

/* Begin to answer. Where that cannot be, why not is said, and the daemon goes on without. */
void http_start(struct http *, const struct server *);

/* End every connection; the loop must run on until all handles are closed. */
void http_stop(struct http *);

/* The same before http_start(). */
void http_abandon(struct http *);

/* A connection that was suspended goes on: libmicrohttpd has something to do. */
void http_hurry(struct http *);

/* Is it on? */
bool http_is_on(const struct http *);

#endif
