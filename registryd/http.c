#include "registryd/http.h"

#include <microhttpd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "registryd/http_events.h"
#include "registryd/http_request.h"
#include "registryd/log.h"
#include "registryd/walltime.h"

#define IDLE_S        80          /* without a byte in either direction */
#define MEMORY_LIMIT  (32 * 1024) /* a connection's: a request's line and headers fit, and an answer's next piece */
#define SWEEP_MS      1000
#define PEERS_MAX     128 /* and no more than an eighth of the descriptors; workers need theirs */
#define PEERS_LEAVING 16  /* connections that are ended and not yet closed */

static uint64_t now_ms(const struct http *http)
{
    return segment_now_ms(&http->service->registry->segment);
}

/* ---- libmicrohttpd in libuv's loop: its epoll descriptor turns readable, or its time has come. What it can do at once
 * waits for the loop's next turn; a timer of 0 ms would run again before anybody else's. ---- */

static void on_timer(uv_timer_t *timer);
static void on_idle(uv_idle_t *idle);

static void http_run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    http->hurried = false;
    MHD_run(http->daemon);
    bool waits = MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES;
    if (http->hurried || (waits && wait_ms == 0))
        uv_idle_start(&http->idle, on_idle);
    else
        uv_idle_stop(&http->idle);
    if (waits && wait_ms > 0)
        uv_timer_start(&http->timer, on_timer, wait_ms, 0);
    else
        uv_timer_stop(&http->timer);
}

static void on_idle(uv_idle_t *idle)
{
    http_run(idle->data);
}

static void on_timer(uv_timer_t *timer)
{
    http_run(timer->data);
}

void http_hurry(struct http *http)
{
    http->hurried = true;
    uv_idle_start(&http->idle, on_idle);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    http_run(poll->data);
}

static void on_sweep(uv_timer_t *timer)
{
    struct http *http = timer->data;
    http_peers_sweep(&http->peers, now_ms(http));
    http_events_turn(http);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *http = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *context = http_peer_add(&http->peers, connection, now_ms(http));
    else
        http_peer_remove(&http->peers, *context);
}

static unsigned peers_most(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 8 > PEERS_MAX)
        return PEERS_MAX;
    return (unsigned)limit.rlim_cur / 8;
}

static struct MHD_Daemon *daemon_create(struct http *http)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, http_request_take, http,
                            MHD_OPTION_LISTEN_SOCKET, http->fd,                            /* */
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,             /* */
                            MHD_OPTION_NOTIFY_COMPLETED, http_request_end, http,           /* */
                            MHD_OPTION_CONNECTION_LIMIT, http->peers.most + PEERS_LEAVING, /* */
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,               /* */
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT, MHD_OPTION_END);
}

static void handles_start(struct http *http, uv_loop_t *loop)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_poll_init(loop, &http->poll, info->epoll_fd);
    uv_timer_init(loop, &http->timer);
    uv_idle_init(loop, &http->idle);
    uv_timer_init(loop, &http->sweep);
    http->poll.data = http->timer.data = http->idle.data = http->sweep.data = http;
    uv_poll_start(&http->poll, UV_READABLE, on_ready);
    uv_timer_start(&http->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

/* ---- coming up and going down ---- */

bool http_listen(struct http *http, const struct http_address *address)
{
    http->fd = -1;
    http->address = *address;
    if (*address->host != '\0')
        http->fd = http_address_listen(&http->address);
    return *address->host == '\0' || http->fd >= 0;
}

void http_start(struct http *http, const struct server *server)
{
    if (http->fd < 0)
        return;
    http->server = server;
    http->service = server->service;
    http->registry = server->service->registry->name;
    http->started_ms = walltime_now_ms();
    http_peers_init(&http->peers, peers_most());
    if (http_recent_start(&http->recent, server->loop, &server->service->registry->segment))
        http->daemon = daemon_create(http);
    if (http->daemon == NULL) {
        log_say(LOG_ERR, "http: no memory or descriptors; registryd goes on without");
        http_recent_stop(&http->recent);
        http_abandon(http);
        return;
    }
    http->fd = -1;
    http_events_start(http);
    handles_start(http, server->loop);
}

void http_stop(struct http *http)
{
    if (http->daemon == NULL)
        return;
    http_events_stop(http);
    http_recent_stop(&http->recent);
    uv_poll_stop(&http->poll);
    uv_close((uv_handle_t *)&http->poll, NULL);
    uv_close((uv_handle_t *)&http->timer, NULL);
    uv_close((uv_handle_t *)&http->idle, NULL);
    uv_close((uv_handle_t *)&http->sweep, NULL);
    MHD_stop_daemon(http->daemon);
    http->daemon = NULL;
}

void http_abandon(struct http *http)
{
    if (http->fd >= 0)
        close(http->fd);
    http->fd = -1;
}

bool http_is_on(const struct http *http)
{
    return http->daemon != NULL;
}
