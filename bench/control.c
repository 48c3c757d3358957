/*
 * What goes over the socket, against a bare round trip of the same packets. Both sides of both share a processor: on
 * two, each waits some 50 us for the other's to wake up, and nothing of what the daemon does would be seen beside that.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "proto/packet.h"

#define TURNS 300

static size_t request_pack(uint8_t *out)
{
    Cb__Request request = CB__REQUEST__INIT;
    Cb__Create create = CB__CREATE__INIT;
    create.name = (char[]){"filled/12345"};
    request.version = PROTOCOL_VERSION;
    request.kind_case = CB__REQUEST__KIND_CREATE;
    request.create = &create;
    return cb__request__pack(&request, out);
}

static size_t reply_pack(uint8_t *out)
{
    Cb__Reply reply = CB__REPLY__INIT;
    Cb__Created created = CB__CREATED__INIT;
    created.slot = 12345;
    reply.version = PROTOCOL_VERSION;
    reply.kind_case = CB__REPLY__KIND_CREATED;
    reply.created = &created;
    return cb__reply__pack(&reply, out);
}

_Noreturn static void echo_run(int fd)
{
    uint8_t request[256], reply[256];
    size_t length = reply_pack(reply);
    while (recv(fd, request, sizeof request, 0) > 0)
        if (send(fd, reply, length, MSG_NOSIGNAL) < 0)
            break;
    _exit(0);
}

static double round_trips(int fd)
{
    uint8_t request[256], reply[256];
    size_t length = request_pack(request);
    uint64_t began = now_ns();
    for (unsigned i = 0; i < TURNS; i++)
        if (send(fd, request, length, MSG_NOSIGNAL) < 0 || recv(fd, reply, sizeof reply, 0) <= 0)
            return -1;
    return (double)(now_ns() - began) / TURNS;
}

double measure_round_trip(struct bench *bench, unsigned argument)
{
    int pair[2];
    (void)bench;
    (void)argument;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    pid_t echo = child_fork(SIGKILL);
    if (echo == 0) {
        close(pair[0]);
        echo_run(pair[1]);
    }
    close(pair[1]);
    round_trips(pair[0]);
    double took = echo < 0 ? -1 : round_trips(pair[0]);
    close(pair[0]); /* ends the echo */
    child_end(&echo, 0);
    return took;
}

double measure_create(struct bench *bench, unsigned argument)
{
    (void)argument;
    place_other_at(bench->daemon.pid, 0);
    int error = fill_to(bench, bench->filled + TURNS); /* as the bare round trips: the first do not count */
    uint64_t began = now_ns();
    if (error == 0)
        error = fill_to(bench, bench->filled + TURNS);
    double took = error ? -1 : (double)(now_ns() - began) / TURNS;
    place_other_anywhere(bench->daemon.pid);
    return took;
}
