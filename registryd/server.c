#include "registryd/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "registryd/log.h"
#include "registryd/session.h"

#define BACKLOG      128
#define SESSIONS_MAX 1024 /* and no more than a quarter of the descriptors; the rest is for watching workers */
#define ACCEPT_MAX   16   /* in one turn of the loop */
#define REST_MS      100

/* ---- listening ---- */

/* 1: systemd passed a socket; 0: it did not; -1: what it passed is of no use. */
static int take_passed(struct server *server)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof address;
    int count = sd_listen_fds(1);
    if (count == 0)
        return 0;
    if (count < 0 || count > 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_SEQPACKET, 1) <= 0 ||
        getsockname(SD_LISTEN_FDS_START, (struct sockaddr *)&address, &size) < 0 || address.sun_path[0] != '/') {
        log_say(LOG_ERR, "systemd passed something else than one listening ListenSequentialPacket= socket");
        return -1;
    }
    server->fd = SD_LISTEN_FDS_START;
    snprintf(server->path, sizeof server->path, "%.*s", (int)sizeof address.sun_path, address.sun_path);
    return 1;
}

/* The folder and the lock are ours, so what bears the name was left by a daemon that is gone. */
static bool bind_to(struct server *server, const char *path, gid_t group)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(server->path, sizeof server->path, "%s", path);
    memcpy(address.sun_path, server->path, sizeof address.sun_path);
    server->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    unlink(path);
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, sizeof address) < 0)
        return false;
    server->bound = true;
    bool shared = group != (gid_t)-1;
    if (shared && chown(path, (uid_t)-1, group) < 0) {
        log_say(LOG_ERR, "the socket cannot be given to gid %u; run registryd as root or as a member of that group",
                (unsigned)group);
        return false;
    }
    return chmod(path, shared ? 0660 : 0600) == 0;
}

static unsigned session_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 4 > SESSIONS_MAX)
        return SESSIONS_MAX;
    return (unsigned)limit.rlim_cur / 4;
}

bool server_listen(struct server *server, const char *path, gid_t group)
{
    memset(server, 0, sizeof *server);
    TAILQ_INIT(&server->sessions);
    server->session_most = session_limit();
    server->fd = -1;
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int passed = take_passed(server);
    if (passed != 0)
        return passed > 0;
    if (bind_to(server, path, group) && listen(server->fd, BACKLOG) == 0)
        return true;
    log_say(LOG_ERR, "%s: %s", path, strerror(errno));
    server_abandon(server);
    return false;
}

/* ---- accepting ---- */

/* The user's connection (any user's: `uid` NULL) that has been idle longest; *count is how many there are. */
static struct session *longest_idle(const struct server *server, const uid_t *uid, unsigned *count)
{
    struct session *session, *first = NULL;
    *count = 0;
    TAILQ_FOREACH(session, &server->sessions, link)
    {
        if (uid && session->uid != *uid)
            continue;
        ++*count;
        if (first == NULL)
            first = session;
    }
    return first;
}

/* Workers keep their connections, and open new ones when they lose them: who has been silent longest makes room. One
 * user's connections make room for that user's. */
static void make_room(struct server *server, uid_t uid)
{
    unsigned of_user, of_all;
    struct session *own = longest_idle(server, &uid, &of_user);
    struct session *any = longest_idle(server, NULL, &of_all);
    bool limited = uid != 0 && uid != geteuid();
    if (limited && of_user >= server->session_most / 4)
        session_end(own);
    else if (of_all >= server->session_most)
        session_end(any);
}

static void admit(struct server *server, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        close(fd);
        return;
    }
    make_room(server, peer.uid);
    if (!session_start(server, fd, peer.uid))
        session_refuse(fd, -ENOMEM, "the daemon is out of memory");
}

static void spare_take(struct server *server)
{
    if (server->spare < 0)
        server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left to accept with: give up the spare one, so that the peer learns it instead of waiting. */
static int turn_away(struct server *server)
{
    if (server->spare >= 0)
        close(server->spare);
    server->spare = -1;
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
    int result = fd < 0 ? -errno : 0;
    if (fd >= 0)
        session_refuse(fd, -EMFILE, "the daemon has no descriptor left; raise its limit of open files");
    spare_take(server);
    return result;
}

/* 0, or -errno; -EAGAIN: nobody waits. */
static int accept_one(struct server *server)
{
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? turn_away(server) : -errno;
    admit(server, fd);
    return 0;
}

static void on_rested(uv_timer_t *timer);

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    int result = 0;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPT_MAX && (result == 0 || result == -EINTR || result == -ECONNABORTED); i++)
        result = accept_one(server);
    if (result == 0 || result == -EAGAIN || result == -EINTR || result == -ECONNABORTED)
        return;
    /* Neither to be had nor turned away: the socket stays readable, and the loop would spin on it. */
    uv_poll_stop(&server->poll);
    uv_timer_start(&server->rest, on_rested, REST_MS, 0);
}

static void on_rested(uv_timer_t *timer)
{
    struct server *server = timer->data;
    spare_take(server);
    uv_poll_start(&server->poll, UV_READABLE, on_connection);
}

void server_start(struct server *server, uv_loop_t *loop, struct service *service)
{
    server->loop = loop;
    server->service = service;
    uv_timer_init(loop, &server->rest);
    server->rest.data = server;
    uv_poll_init(loop, &server->poll, server->fd); /* makes it non-blocking */
    server->poll.data = server;
    uv_poll_start(&server->poll, UV_READABLE, on_connection);
}

/* ---- ending ---- */

void server_abandon(struct server *server)
{
    if (server->bound)
        unlink(server->path);
    if (server->fd >= 0)
        close(server->fd);
    if (server->spare >= 0)
        close(server->spare);
    server->fd = server->spare = -1;
}

void server_stop(struct server *server)
{
    while (!TAILQ_EMPTY(&server->sessions))
        session_end(TAILQ_FIRST(&server->sessions));
    uv_poll_stop(&server->poll);
    uv_close((uv_handle_t *)&server->poll, NULL);
    uv_close((uv_handle_t *)&server->rest, NULL);
    server_abandon(server);
}
