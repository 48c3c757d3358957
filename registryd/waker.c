#include "registryd/waker.h"

#include "registryd/session.h"

static void on_event(const struct event *event, void *arg)
{
    struct waker *waker = arg;
    (void)event;
    waker->due = true;
}

/* A peer that does not read has wakes waiting for it: it needs no further one. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct waker *waker = prepare->data;
    Cb__Wake wake = CB__WAKE__INIT;
    Cb__Reply reply = CB__REPLY__INIT;
    struct session *session;
    if (!waker->due)
        return;
    waker->due = false;
    reply.version = PROTOCOL_VERSION;
    reply.kind_case = CB__REPLY__KIND_WAKE;
    reply.wake = &wake;
    TAILQ_FOREACH(session, &waker->server->sessions, link)
    {
        if (session->subscribed)
            packet_send(session->fd, &reply.base, 0);
    }
}

void waker_start(struct waker *waker, uv_loop_t *loop, struct registry *registry, struct server *server)
{
    *waker = (struct waker){.server = server};
    uv_prepare_init(loop, &waker->prepare);
    waker->prepare.data = waker;
    uv_prepare_start(&waker->prepare, on_prepare);
    chronicle_subscribe(&registry->chronicle, on_event, waker);
}

void waker_stop(struct waker *waker)
{
    uv_close((uv_handle_t *)&waker->prepare, NULL);
}
