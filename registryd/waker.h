/* The waker: tells subscribed connections that something has happened. What, they read in the memory. */
#ifndef REGISTRYD_WAKER_H
#define REGISTRYD_WAKER_H

#include "registryd/registry.h"
#include "registryd/server.h"

struct waker {
    struct server *server;
    uv_prepare_t prepare; /* before the loop waits again: one wake for all that has happened in a turn */
    bool due;
};

void waker_start(struct waker *, uv_loop_t *, struct registry *, struct server *);
void waker_stop(struct waker *); /* the loop must run on until all handles are closed */

#endif
