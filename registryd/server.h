/* The listening socket, and how many may connect. */
#ifndef REGISTRYD_SERVER_H
#define REGISTRYD_SERVER_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <uv.h>

#include "core/layout.h"
#include "proto/packet.h"

struct service;
struct session;

struct server {
    uv_loop_t *loop;
    struct service *service;
    uv_poll_t poll;
    uv_timer_t rest; /* from a socket that cannot be accepted from */
    int fd;
    int spare;                      /* given up to turn a peer away when descriptors run out */
    char path[PATH_SIZE];           /* where clients connect */
    bool bound;                     /* by us, not by systemd: the path is ours to remove */
    TAILQ_HEAD(, session) sessions; /* the one used last comes last */
    unsigned session_count, session_most;
    uint8_t packet[PACKET_SIZE];
};

/* Listen: on the socket that systemd passed, else on `path`, open to `group` ((gid_t)-1: to nobody else). Peers may
 * connect from now on, and wait. False: why not has been said. */
bool server_listen(struct server *, const char *path, gid_t group);

/* Begin to answer. */
void server_start(struct server *, uv_loop_t *, struct service *);

/* End every connection and the socket; the loop must run on until all handles are closed. */
void server_stop(struct server *);

/* The same before server_start(). */
void server_abandon(struct server *);

#endif
