#include "registryd/http_peer.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

static const uint64_t deadline_ms[] = {
    [HTTP_ASKING] = 10000,
    [HTTP_RESTING] = 75000, /* who scrapes once a minute need not connect each time */
    [HTTP_ANSWERED] = 30000,
    [HTTP_LISTENING] = UINT64_MAX, /* who does not read is ended by libmicrohttpd's time-out */
    [HTTP_ENDED] = UINT64_MAX,
};

void http_peers_init(struct http_peers *peers, unsigned most)
{
    TAILQ_INIT(&peers->list);
    peers->count = 0;
    peers->most = most;
}

void http_peer_enter(struct http_peers *peers, struct http_peer *peer, enum http_phase phase, uint64_t now_ms)
{
    if (peer == NULL || peer->phase == HTTP_ENDED)
        return;
    peer->phase = phase;
    peer->since_ms = now_ms;
    TAILQ_REMOVE(&peers->list, peer, link);
    TAILQ_INSERT_TAIL(&peers->list, peer, link);
}

/* Closing is libmicrohttpd's; to it this looks as if the peer had gone. */
static void peer_end(struct http_peers *peers, struct http_peer *peer, uint64_t now_ms)
{
    shutdown(peer->fd, SHUT_RDWR);
    http_peer_enter(peers, peer, HTTP_ENDED, now_ms);
}

static void make_room(struct http_peers *peers, uint64_t now_ms)
{
    struct http_peer *peer;
    TAILQ_FOREACH(peer, &peers->list, link)
    if (peer->phase == HTTP_ASKING || peer->phase == HTTP_RESTING) {
        peer_end(peers, peer, now_ms);
        return;
    }
}

struct http_peer *http_peer_add(struct http_peers *peers, struct MHD_Connection *connection, uint64_t now_ms)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_peer *peer = info ? calloc(1, sizeof *peer) : NULL;
    if (peer == NULL)
        return NULL;
    *peer = (struct http_peer){.fd = info->connect_fd, .phase = HTTP_ASKING, .since_ms = now_ms};
    TAILQ_INSERT_TAIL(&peers->list, peer, link);
    if (++peers->count > peers->most)
        make_room(peers, now_ms);
    return peer;
}

void http_peer_remove(struct http_peers *peers, struct http_peer *peer)
{
    if (peer == NULL)
        return;
    TAILQ_REMOVE(&peers->list, peer, link);
    peers->count--;
    free(peer);
}

struct http_peer *http_peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

void http_peers_sweep(struct http_peers *peers, uint64_t now_ms)
{
    struct http_peer *peer, *next;
    for (peer = TAILQ_FIRST(&peers->list); peer; peer = next) {
        next = TAILQ_NEXT(peer, link);
        if (now_ms - peer->since_ms > deadline_ms[peer->phase])
            peer_end(peers, peer, now_ms);
    }
}

bool http_peer_has_left(const struct http_peer *peer)
{
    struct pollfd look = {.fd = peer->fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0;
}
