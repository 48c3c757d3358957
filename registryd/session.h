/* One connection: a request, a reply, a request ... */
#ifndef REGISTRYD_SESSION_H
#define REGISTRYD_SESSION_H

#include <sys/queue.h>

#include "registryd/access.h"
#include "registryd/server.h"

struct session {
    TAILQ_ENTRY(session) link;
    struct server *server;
    int fd;
    uid_t uid;
    bool greeted;    /* its first request is answered */
    bool known;      /* `peer` is, as judged by `access` */
    bool subscribed; /* wants to be woken (registryd/waker.h) */
    struct peer peer;
    struct access access;
    uint8_t *unsent; /* a reply that the peer, which does not read, has no room for */
    size_t unsent_length;
    uv_poll_t poll;
    uv_timer_t deadline; /* for the first request, and for reading what is unsent */
};

/* Take `fd` over; it is the one used last. False: no memory, and fd is still the caller's. */
bool session_start(struct server *, int fd, uid_t uid);
void session_end(struct session *);

/* Send a refusal (enum reply_code or -errno) and close `fd`, which has no session. */
void session_refuse(int fd, int code, const char *why);

#endif
