#include "registryd/http_guard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registryd/http_reply.h"

static bool is_address(int family, const char *host)
{
    struct in6_addr ignored; /* the larger of the two */
    return inet_pton(family, host, &ignored) == 1;
}

bool http_host_is_ours(const struct http_address *ours, const char *host)
{
    char name[HTTP_HOST_SIZE];
    bool bracket = host && *host == '[';
    size_t length = host ? strcspn(host + bracket, bracket ? "]" : ":") : 0;
    if (length == 0 || length >= sizeof name)
        return false;
    memcpy(name, host + bracket, length);
    name[length] = '\0';
    const char *rest = host + bracket + length + bracket; /* behind a ']', which must be there */
    if (bracket && host[1 + length] != ']')
        return false;
    if (*rest != '\0' && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")] != '\0'))
        return false;
    return bracket
               ? is_address(AF_INET6, name)
               : is_address(AF_INET, name) || strcasecmp(name, "localhost") == 0 || strcasecmp(name, ours->host) == 0;
}

bool http_origin_is_ours(const char *origin, const char *host)
{
    if (origin == NULL)
        return true;
    const char *authority = strstr(origin, "://");
    return authority && host && strcasecmp(authority + 3, host) == 0;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

bool http_guard(const struct http_address *ours, struct MHD_Connection *connection, enum MHD_Result *result)
{
    const char *host = header(connection, MHD_HTTP_HEADER_HOST);
    if (!http_host_is_ours(ours, host)) {
        *result = http_reply_error(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                                   "the Host header \"%.100s\" is neither an address nor localhost nor %s, which "
                                   "registryd serves",
                                   host ? host : "", ours->host);
        return false;
    }
    const char *origin = header(connection, MHD_HTTP_HEADER_ORIGIN);
    if (!http_origin_is_ours(origin, host)) {
        *result = http_reply_error(connection, MHD_HTTP_FORBIDDEN, "pages of %.100s may not ask registryd", origin);
        return false;
    }
    return true;
}
