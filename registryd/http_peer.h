/* Who is connected over HTTP. However slow, silent or many they are: a request has to come and an answer has to be taken
 * within its time, and who has waited longest without asking makes room for who comes. */
#ifndef REGISTRYD_HTTP_PEER_H
#define REGISTRYD_HTTP_PEER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum http_phase {
    HTTP_ASKING,    /* its first request is awaited */
    HTTP_RESTING,   /* it has its answer, and may ask again */
    HTTP_ANSWERED,  /* it takes an answer */
    HTTP_LISTENING, /* to events, for as long as it likes */
    HTTP_ENDED,     /* its socket is shut down; libmicrohttpd will notice */
};

struct http_peer {
    TAILQ_ENTRY(http_peer) link;
    int fd;
    enum http_phase phase;
    uint64_t since_ms; /* in this phase */
};

struct http_peers {
    TAILQ_HEAD(, http_peer) list; /* the one that changed its phase last comes last */
    unsigned count, most;
};

/* `most`: how many there may be; one of them makes room for the next. */
void http_peers_init(struct http_peers *, unsigned most);

/* A new connection; NULL: no memory, and it has no deadlines. */
struct http_peer *http_peer_add(struct http_peers *, struct MHD_Connection *, uint64_t now_ms);
void http_peer_remove(struct http_peers *, struct http_peer *);

/* Of this connection; NULL: see above. */
struct http_peer *http_peer_of(struct MHD_Connection *);

void http_peer_enter(struct http_peers *, struct http_peer *, enum http_phase, uint64_t now_ms);

/* Shut those down whose time is over. */
void http_peers_sweep(struct http_peers *, uint64_t now_ms);

/* Has whoever listens gone? Nobody else looks while there is nothing to send. */
bool http_peer_has_left(const struct http_peer *);

#endif
