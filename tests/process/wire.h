/* The control protocol spoken by hand, for tests of the daemon: what a library of ours would never send can be sent. */
#ifndef TESTS_PROCESS_WIRE_H
#define TESTS_PROCESS_WIRE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/packet.h"
#include "tests/harness.h"

static inline int wire_connect(const struct daemon *daemon)
{
    char path[180];
    snprintf(path, sizeof path, "%s/%s.sock", daemon->dir, daemon->registry);
    return packet_connect(path, HARNESS_DEADLINE_MS);
}

static inline int wire_open(const struct daemon *daemon)
{
    int fd = wire_connect(daemon);
    cr_assert(fd >= 0, "connect: %s", strerror(-fd));
    return fd;
}

/* The next reply; NULL: the daemon has ended the connection. */
static inline Cb__Reply *wire_reply(int fd)
{
    static uint8_t packet[PACKET_SIZE];
    ssize_t length = packet_receive(fd, packet, HARNESS_DEADLINE_MS);
    cr_assert(length != -ETIMEDOUT, "the daemon did not answer");
    return length > 0 ? cb__reply__unpack(NULL, (size_t)length, packet) : NULL;
}

static inline Cb__Reply *wire_ask(int fd, Cb__Request *request)
{
    request->version = PROTOCOL_VERSION;
    int error = packet_send(fd, &request->base, HARNESS_DEADLINE_MS);
    cr_assert(error == 0, "send: %s", strerror(-error));
    Cb__Reply *reply = wire_reply(fd);
    cr_assert(reply, "no answer");
    return reply;
}

/* Ask for something that has no content in its reply; returns the code, and the error if `error` is not NULL. */
static inline int wire_code(int fd, Cb__Request *request, char error[512])
{
    Cb__Reply *reply = wire_ask(fd, request);
    int code = reply->code;
    cr_expect((code == 0) == (*reply->error == '\0'), "code %d with the error \"%s\"", code, reply->error);
    if (error)
        snprintf(error, 512, "%s", reply->error);
    cb__reply__free_unpacked(reply, NULL);
    return code;
}

static inline int wire_create(int fd, const char *name, const char *policy, char error[512])
{
    Cb__Create create = CB__CREATE__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    create.name = (char *)name;
    create.policy = (char *)policy;
    request.kind_case = CB__REQUEST__KIND_CREATE;
    request.create = &create;
    return wire_code(fd, &request, error);
}

/* Trip, reset and remove: one message under three numbers. */
static inline int wire_control(int fd, Cb__Request__KindCase kind, const char *name, const char *reason,
                               char error[512])
{
    Cb__Control control = CB__CONTROL__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    control.name = (char *)name;
    control.reason = (char *)reason;
    request.kind_case = kind;
    request.trip = &control;
    return wire_code(fd, &request, error);
}

static inline int wire_override(int fd, const char *name, unsigned state, uint64_t for_ms, const char *reason,
                                char error[512])
{
    Cb__Override override = CB__OVERRIDE__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    override.name = (char *)name;
    override.state = state;
    override.for_ms = for_ms;
    override.reason = (char *)reason;
    request.kind_case = CB__REQUEST__KIND_OVERRIDE;
    request.override = &override;
    return wire_code(fd, &request, error);
}

static inline int wire_set_policy(int fd, const char *name, const char *policy, char error[512])
{
    Cb__SetPolicy set = CB__SET_POLICY__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    set.name = (char *)name;
    set.policy = (char *)policy;
    request.kind_case = CB__REQUEST__KIND_SET_POLICY;
    request.set_policy = &set;
    return wire_code(fd, &request, error);
}

/* The breaker, in a reply for cb__reply__free_unpacked(). */
static inline Cb__Reply *wire_show(int fd, const char *name)
{
    Cb__Show show = CB__SHOW__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    show.name = (char *)name;
    request.kind_case = CB__REQUEST__KIND_SHOW;
    request.show = &show;
    return wire_ask(fd, &request);
}

static inline Cb__Reply *wire_ping(int fd)
{
    Cb__Ping ping = CB__PING__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_PING;
    request.ping = &ping;
    return wire_ask(fd, &request);
}

#endif
