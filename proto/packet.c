#include "proto/packet.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* While it waits, a recv() returns that often to look at its deadline. Set once for a connection: a time-out of its own
 * for each would be a system call more. */
#define WAIT_MS 20

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until `fd` is ready or the moment `until` has come. 0, -ETIMEDOUT or -errno. */
static int wait_ready(int fd, short events, int64_t until)
{
    struct pollfd ready = {.fd = fd, .events = events};
    for (;;) {
        int64_t left = until - now_ms();
        int n = poll(&ready, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return 0;
        if (n == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

/* A blocking connect() waits for room in the listener's queue as long as SO_SNDTIMEO says. */
static int connect_until(int fd, const struct sockaddr_un *address, int64_t until)
{
    for (;;) {
        int64_t left = until - now_ms();
        if (left <= 0)
            return -ETIMEDOUT;
        struct timeval limit = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
            return -errno;
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return 0;
        if (errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
}

int packet_connect(const char *path, int deadline_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);

    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const struct timeval wait = {.tv_usec = WAIT_MS * 1000};
    int error = connect_until(fd, &address, now_ms() + (deadline_ms > 0 ? deadline_ms : 1));
    if (error == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0)
        error = -errno;
    if (error < 0) {
        close(fd);
        return error;
    }
    return fd;
}

uint8_t *packet_pack(const ProtobufCMessage *message, size_t *length)
{
    *length = protobuf_c_message_get_packed_size(message);
    errno = EMSGSIZE;
    uint8_t *bytes = *length <= PACKET_SIZE ? malloc(*length + 1) : NULL; /* malloc() sets ENOMEM */
    if (bytes)
        protobuf_c_message_pack(message, bytes);
    return bytes;
}

int packet_send_packed(int fd, const uint8_t *bytes, size_t length, int deadline_ms)
{
    int64_t until = deadline_ms > 0 ? now_ms() + deadline_ms : 0;
    for (;;) {
        if (send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || until == 0)
            return -errno;
        int error = wait_ready(fd, POLLOUT, until);
        if (error < 0)
            return error;
    }
}

int packet_send(int fd, const ProtobufCMessage *message, int deadline_ms)
{
    size_t length;
    uint8_t *bytes = packet_pack(message, &length);
    if (bytes == NULL)
        return -errno;
    int error = packet_send_packed(fd, bytes, length, deadline_ms);
    free(bytes);
    return error;
}

/* Without room for control data the kernel closes descriptors that came along. */
ssize_t packet_receive(int fd, uint8_t *buffer, int deadline_ms)
{
    int64_t until = deadline_ms > 0 ? now_ms() + deadline_ms : 0;
    for (;;) {
        ssize_t length = recv(fd, buffer, PACKET_SIZE, until ? MSG_TRUNC : MSG_TRUNC | MSG_DONTWAIT);
        if (length >= 0)
            return length > PACKET_SIZE ? -EMSGSIZE : length;
        if (errno != EINTR && (errno != EAGAIN || until == 0))
            return -errno;
        if (until && now_ms() >= until)
            return -ETIMEDOUT;
    }
}
