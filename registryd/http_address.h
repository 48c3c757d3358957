/* Where the daemon serves HTTP: the text that an administrator writes, and the socket that comes of it. */
#ifndef REGISTRYD_HTTP_ADDRESS_H
#define REGISTRYD_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP_HOST_SIZE 254 /* a host's name, with its terminator */
#define HTTP_URL_SIZE  (HTTP_HOST_SIZE + 32)

struct http_address {
    char host[HTTP_HOST_SIZE]; /* "": there is none, HTTP is off; an IPv6 address without its brackets */
    uint16_t port;             /* 0: any that is free */
};

/* "HOST:PORT", "[IPv6]:PORT", or "PORT" on 127.0.0.1. NULL, or what is wrong with it ("is not ..."). */
const char *http_address_parse(const char *text, struct http_address *out);

/* Bind and listen, without blocking reads. Port 0 becomes the one that was found. The descriptor is the caller's; -1: why
 * not has been said. An address that others than this host reach is allowed, and warned of. */
int http_address_listen(struct http_address *);

/* "http://HOST:PORT/" */
void http_address_url(const struct http_address *, char out[HTTP_URL_SIZE]);

#endif
