/* One message a packet, within limits and a deadline. Knows nothing of the memory. */
#ifndef PROTO_PACKET_H
#define PROTO_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/registry.pb-c.h"

#define PROTOCOL_VERSION 1
#define PACKET_SIZE      65536

/* A connected SOCK_SEQPACKET|CLOEXEC socket to `path`, within `deadline_ms`; or -errno (-ETIMEDOUT when time ran out). */
int packet_connect(const char *path, int deadline_ms);

/* The packet of a message, for free(). NULL: errno is EMSGSIZE (larger than a packet may be) or ENOMEM. */
uint8_t *packet_pack(const ProtobufCMessage *message, size_t *length);

/* Send one packet whole, without raising SIGPIPE. 0, -ETIMEDOUT or -errno. `deadline_ms` 0: do not wait (-EAGAIN). */
int packet_send_packed(int fd, const uint8_t *bytes, size_t length, int deadline_ms);
/* Both in one; also -EMSGSIZE, -ENOMEM. */
int packet_send(int fd, const ProtobufCMessage *message, int deadline_ms);

/* Receive one packet into `buffer` (PACKET_SIZE bytes). Its length (> 0); 0: the peer has closed; -EMSGSIZE: it was
 * larger than the limit; -ETIMEDOUT; -errno. Descriptors that came along are closed. `deadline_ms` 0: do not wait
 * (-EAGAIN); otherwise `fd` is one of packet_connect()'s. */
ssize_t packet_receive(int fd, uint8_t *buffer, int deadline_ms);

#endif
