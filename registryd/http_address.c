#include "registryd/http_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registryd/log.h"

#define BACKLOG    128
#define UNREAD_MAX (128 * 1024) /* bytes that the kernel keeps for a peer that does not read */

static const char wrong[] = "is not HOST:PORT, [IPv6]:PORT, or PORT (0 to 65535; on 127.0.0.1)";

static bool port_parse(const char *text, uint16_t *port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long value = strtoul(text, NULL, 10);
    if (digits == 0 || digits > 5 || text[digits] != '\0' || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

static bool host_take(struct http_address *out, const char *from, size_t length)
{
    if (length == 0 || length >= sizeof out->host || memchr(from, ' ', length))
        return false;
    memcpy(out->host, from, length);
    out->host[length] = '\0';
    return true;
}

const char *http_address_parse(const char *text, struct http_address *out)
{
    const char *colon = strrchr(text, ':');
    const char *close = *text == '[' ? strchr(text, ']') : NULL;
    struct in6_addr ignored;
    *out = (struct http_address){.host = "127.0.0.1"};
    if (colon == NULL)
        return port_parse(text, &out->port) ? NULL : wrong;
    if (*text == '[')
        return close && close + 1 == colon && host_take(out, text + 1, (size_t)(close - text - 1)) &&
                       inet_pton(AF_INET6, out->host, &ignored) == 1 && port_parse(colon + 1, &out->port)
                   ? NULL
                   : wrong;
    bool one = memchr(text, ':', (size_t)(colon - text)) == NULL;
    return one && host_take(out, text, (size_t)(colon - text)) && port_parse(colon + 1, &out->port) ? NULL : wrong;
}

void http_address_url(const struct http_address *address, char out[HTTP_URL_SIZE])
{
    const char *form = strchr(address->host, ':') ? "http://[%s]:%u/" : "http://%s:%u/";
    snprintf(out, HTTP_URL_SIZE, form, address->host, (unsigned)address->port);
}

/* ---- the socket ---- */

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } bound = {.six = {.sin6_port = 0}};
    socklen_t size = sizeof bound;
    getsockname(fd, &bound.any, &size);
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.six.sin6_port : bound.four.sin_port);
}

static int listen_on(const struct addrinfo *found)
{
    const int on = 1, unread = UNREAD_MAX;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &unread, sizeof unread); /* so of each connection */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);      /* what an earlier daemon closed may linger */
    if (found->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static const char *hint(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "; another program listens there: choose another port, or 0 for any that is free";
    case EADDRNOTAVAIL:
        return "; that is no address of this host";
    case EAFNOSUPPORT:
        return "; under systemd the unit must allow it, see registryd(8)";
    default:
        return "";
    }
}

static void took(struct http_address *address, int fd, const struct sockaddr *bound)
{
    char url[HTTP_URL_SIZE];
    address->port = port_of(fd);
    http_address_url(address, url);
    if (!is_loopback(bound))
        log_say(LOG_WARNING, "http: whoever can reach %s may read every breaker; tokens go there in clear text", url);
}

int http_address_listen(struct http_address *address)
{
    char url[HTTP_URL_SIZE], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found = NULL;
    http_address_url(address, url);
    snprintf(port, sizeof port, "%u", (unsigned)address->port);
    int unknown = getaddrinfo(address->host, port, &hints, &found);
    if (unknown) {
        log_say(LOG_ERR, "http: %s cannot be served: no address of that host: %s", url, gai_strerror(unknown));
        return -1;
    }
    int fd = listen_on(found);
    if (fd < 0)
        log_say(LOG_ERR, "http: %s cannot be served: %s%s", url, strerror(errno), hint(errno));
    else
        took(address, fd, found->ai_addr);
    freeaddrinfo(found);
    return fd;
}
