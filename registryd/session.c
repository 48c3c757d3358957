#include "registryd/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registryd/request.h"

#define GREETING_MS 5000 /* until the first request; idle connections may stay idle after it */
#define UNREAD_MS   5000 /* until a peer has read its replies so far that the next one has room */
#define DRAIN_MAX   64   /* packets that nobody will answer */

/* Packets left unread would reset the connection before the peer has read its last reply. */
static void drain_and_close(int fd)
{
    char byte;
    for (int i = 0; i < DRAIN_MAX && recv(fd, &byte, 1, MSG_DONTWAIT) > 0; i++)
        continue;
    close(fd);
}

static void on_deadline_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct session *session = handle->data;
    free(session->unsent);
    drain_and_close(session->fd);
    uv_close((uv_handle_t *)&session->deadline, on_deadline_closed);
}

void session_end(struct session *session)
{
    TAILQ_REMOVE(&session->server->sessions, session, link);
    session->server->session_count--;
    uv_close((uv_handle_t *)&session->poll, on_poll_closed);
}

static void on_deadline(uv_timer_t *timer)
{
    session_end(timer->data);
}

/* Who a peer was when it connected does not change; what it may do, a new configuration may. */
static bool identify(struct session *session)
{
    const struct access *access = session->server->service->access;
    if (session->known && memcmp(&session->access, access, sizeof *access) == 0)
        return true;
    session->access = *access;
    session->known = access_peer(access, session->fd, &session->peer);
    return session->known;
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* No request is taken from a peer that does not read its replies: the one that it has no room for is kept until it has,
 * or its time is over. False: the connection ends. */
static bool send_or_keep(struct session *session, const struct reply *reply)
{
    size_t length;
    uint8_t *bytes = packet_pack(&reply->message.base, &length);
    int result = bytes ? packet_send_packed(session->fd, bytes, length, 0) : -errno;
    if (result == -EAGAIN && !reply->hang_up) {
        session->unsent = bytes;
        session->unsent_length = length;
        uv_timer_start(&session->deadline, on_deadline, UNREAD_MS, 0);
        uv_poll_start(&session->poll, UV_WRITABLE, on_ready);
        return true;
    }
    free(bytes);
    return result == 0 && !reply->hang_up;
}

static bool send_kept(struct session *session)
{
    int result = packet_send_packed(session->fd, session->unsent, session->unsent_length, 0);
    if (result == -EAGAIN)
        return true;
    free(session->unsent);
    session->unsent = NULL;
    uv_timer_stop(&session->deadline);
    uv_poll_start(&session->poll, UV_READABLE, on_ready);
    return result == 0;
}

/* Answer what was received, `length` bytes or an error of packet_receive(). False: the connection ends. */
static bool answer(struct session *session, ssize_t length)
{
    struct service *service = session->server->service;
    struct reply reply;
    reply_init(&reply);
    if (length == -EMSGSIZE) {
        reply_fail(&reply, REPLY_EPROTOCOL, "the request is larger than %d bytes; the connection ends", PACKET_SIZE);
        reply.hang_up = true;
    } else if (identify(session)) {
        request_answer(service, &session->peer, !session->greeted, session->server->packet, (size_t)length, &reply);
    } else {
        reply.hang_up = true;
    }
    bool goes_on = send_or_keep(session, &reply);
    session->subscribed |= reply.subscribe;
    reply_finish(&reply);
    return goes_on;
}

/* False: the connection ends. */
static bool serve(struct session *session)
{
    ssize_t length = packet_receive(session->fd, session->server->packet, 0);
    if (length == -EAGAIN)
        return true;
    uv_timer_stop(&session->deadline);
    if ((length <= 0 && length != -EMSGSIZE) || !answer(session, length))
        return false;
    session->greeted = true;
    TAILQ_REMOVE(&session->server->sessions, session, link);
    TAILQ_INSERT_TAIL(&session->server->sessions, session, link);
    return true;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct session *session = poll->data;
    (void)events;
    if (status < 0 || !(session->unsent ? send_kept(session) : serve(session)))
        session_end(session);
}

bool session_start(struct server *server, int fd, uid_t uid)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL || uv_poll_init(server->loop, &session->poll, fd) != 0) {
        free(session);
        return false;
    }
    session->server = server;
    session->fd = fd;
    session->uid = uid;
    session->poll.data = session->deadline.data = session;
    uv_timer_init(server->loop, &session->deadline);
    uv_timer_start(&session->deadline, on_deadline, GREETING_MS, 0);
    uv_poll_start(&session->poll, UV_READABLE, on_ready);
    TAILQ_INSERT_TAIL(&server->sessions, session, link);
    server->session_count++;
    return true;
}

void session_refuse(int fd, int code, const char *why)
{
    struct reply reply;
    reply_init(&reply);
    reply_fail(&reply, code, "%s", why);
    packet_send(fd, &reply.message.base, 0);
    reply_finish(&reply);
    drain_and_close(fd);
}
