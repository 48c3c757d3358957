/* One connection to the daemon a registry's handle, opened when first needed, one exchange at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "core/clock.h"
#include "proto/packet.h"

static void wire_close(cb_registry *registry)
{
    if (registry->fd >= 0)
        close(registry->fd);
    registry->fd = -1;
}

static const char *socket_path(cb_registry *registry)
{
    const struct membership *shared = atomic_load(&registry->shared);
    return shared ? shared->segment.panel->socket : NULL;
}

static int unreachable(const cb_registry *registry, const char *path, int code)
{
    return fail(CB_EUNREACHABLE, "registry '%s': registryd does not answer at %s (%s); start it, or see what stops it",
                registry->name, path, strerrordesc_np(-code));
}

static int64_t now_ms(void)
{
    return (int64_t)clock_coarse_ms();
}

static int left_ms(int64_t until)
{
    int64_t left = until - now_ms();
    return left > 0 ? (int)left : 0;
}

/* Other threads' exchanges count against the deadline, too: with a daemon that does not answer, each takes all of its
 * own, and the last to come would wait for everybody's. */
static int wire_lock(cb_registry *registry, int64_t until)
{
    struct timespec moment = {.tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000 * 1000000)};
    return -pthread_mutex_clocklock(&registry->wire, CLOCK_MONOTONIC, &moment);
}

static int wire_open(cb_registry *registry, const char *path, int64_t until)
{
    if (!registry->packet)
        registry->packet = malloc(PACKET_SIZE);
    if (!registry->packet)
        return -ENOMEM;
    if (registry->fd < 0)
        registry->fd = packet_connect(path, left_ms(until));
    return registry->fd < 0 ? registry->fd : 0;
}

static int wire_round(cb_registry *registry, const Cb__Request *request, int64_t until, ssize_t *length)
{
    int code = packet_send(registry->fd, &request->base, left_ms(until));
    if (code == 0) {
        *length = packet_receive(registry->fd, registry->packet, left_ms(until));
        code = *length > 0 ? 0 : *length == 0 ? -ECONNRESET : (int)*length;
    }
    if (code != 0)
        wire_close(registry);
    return code;
}

/* A connection from before the daemon's restart is only found dead by using it: once more, on a new one. */
static int wire_try(cb_registry *registry, const char *path, const Cb__Request *request, int64_t until, ssize_t *length)
{
    bool reused = registry->fd >= 0;
    int code = wire_open(registry, path, until);
    if (code == 0)
        code = wire_round(registry, request, until, length);
    if (reused && (code == -EPIPE || code == -ECONNRESET)) {
        code = wire_open(registry, path, until);
        if (code == 0)
            code = wire_round(registry, request, until, length);
    }
    return code;
}

static int reply_check(cb_registry *registry, Cb__Reply *reply)
{
    if (!reply) {
        wire_close(registry);
        return fail(CB_EPROTOCOL, "registry '%s': the daemon's answer is not the protocol", registry->name);
    }
    if (reply->code >= 0)
        return 0;
    int code = fail(reply->code, "%s", reply->error && *reply->error ? reply->error : cb_strerror(reply->code));
    cb__reply__free_unpacked(reply, NULL);
    return code;
}

int wire_exchange(cb_registry *registry, const Cb__Request *request, int deadline_ms, Cb__Reply **reply)
{
    Cb__Request versioned = *request;
    versioned.version = PROTOCOL_VERSION;
    const char *path = socket_path(registry);
    if (registry->offline) {
        *reply = NULL; /* there is nothing more to say than the code */
        return offline_exchange(registry, request);
    }
    if (!path)
        return fail(CB_ENODAEMON, "registry '%s': registryd is not running", registry->name);
    ssize_t length = 0;
    int64_t until = now_ms() + deadline_ms;
    registry_adopt(registry);
    int code = wire_lock(registry, until);
    if (code != 0)
        return unreachable(registry, path, code);
    code = wire_try(registry, path, &versioned, until, &length);
    if (code == 0) {
        *reply = cb__reply__unpack(NULL, (size_t)length, registry->packet);
        code = reply_check(registry, *reply);
    } else if (code == -EMSGSIZE) {
        code = fail(-EMSGSIZE, "the request is larger than the protocol's %d bytes", PACKET_SIZE);
    } else {
        code = unreachable(registry, path, code);
    }
    pthread_mutex_unlock(&registry->wire);
    return code;
}

void wire_attach(cb_registry *registry, const struct membership *membership)
{
    Cb__Attach attach = CB__ATTACH__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    Cb__Reply *reply;
    uint32_t worker = lane_worker(membership->lane);
    if (worker == 0)
        return;
    attach.worker = worker - 1;
    request.kind_case = CB__REQUEST__KIND_ATTACH;
    request.attach = &attach;
    /* A courtesy: it only tells the daemon earlier what it finds in the memory by itself. */
    if (wire_exchange(registry, &request, WIRE_DEADLINE_JOIN_MS, &reply) == 0)
        cb__reply__free_unpacked(reply, NULL);
}

int wire_subscribe(const struct membership *membership)
{
    Cb__Subscribe subscribe = CB__SUBSCRIBE__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.version = PROTOCOL_VERSION;
    request.kind_case = CB__REQUEST__KIND_SUBSCRIBE;
    request.subscribe = &subscribe;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%.*s", PATH_SIZE - 1, membership->segment.panel->socket);
    int fd = packet_connect(path, WIRE_DEADLINE_JOIN_MS);
    if (fd < 0)
        return fd;
    int code = packet_send(fd, &request.base, WIRE_DEADLINE_JOIN_MS);
    if (code == 0)
        return fd;
    close(fd);
    return code;
}

int cb_ping(cb_registry *registry, uint64_t *round_trip_ns, const char **version)
{
    static _Thread_local char text[32];
    Cb__Ping ping = CB__PING__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    Cb__Reply *reply;
    if (!registry)
        return fail(-EINVAL, "cb_ping: registry is NULL");
    int code = registry_refresh(registry);
    if (code < 0)
        return code;
    request.kind_case = CB__REQUEST__KIND_PING;
    request.ping = &ping;
    uint64_t before = clock_read_ns(CLOCK_MONOTONIC);
    code = wire_exchange(registry, &request, WIRE_DEADLINE_MS, &reply);
    if (code < 0)
        return code;
    if (round_trip_ns)
        *round_trip_ns = clock_read_ns(CLOCK_MONOTONIC) - before;
    if (version && reply && reply->kind_case == CB__REPLY__KIND_PONG) {
        strncpy(text, reply->pong->daemon_version, sizeof text - 1);
        *version = text;
    }
    cb__reply__free_unpacked(reply, NULL);
    return 0;
}
