#include "registryd/http_request.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "registryd/http_guard.h"
#include "registryd/http_reply.h"
#include "registryd/http_route.h"

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_request_query(const struct http_request *request, const char *key)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, key);
}

static void phase(struct http *http, struct MHD_Connection *connection, enum http_phase phase)
{
    uint64_t now = segment_now_ms(&http->service->registry->segment);
    http_peer_enter(&http->peers, http_peer_of(connection), phase, now);
}

static bool announces_too_much(const struct http_request *request)
{
    const char *length = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length && strtoull(length, NULL, 10) > HTTP_BODY_MAX;
}

/* Its headers are there: what need not be read is refused before it is. */
static enum MHD_Result request_begin(struct http_request *request)
{
    enum MHD_Result result = MHD_YES;
    phase(request->http, request->connection, HTTP_ANSWERED);
    if (http_guard(&request->http->address, request->connection, &result) && announces_too_much(request))
        return http_reply_error(request->connection, MHD_HTTP_CONTENT_TOO_LARGE, "a request has at most %d bytes",
                                HTTP_BODY_MAX);
    return result;
}

/* More of its body. One that did not say how long it would be, and is too long, loses its connection. */
static enum MHD_Result request_add(struct http_request *request, const char *data, size_t *size)
{
    if (*size > HTTP_BODY_MAX - request->length)
        return MHD_NO;
    memcpy(request->body + request->length, data, *size);
    request->length += *size;
    *size = 0;
    return MHD_YES;
}

enum MHD_Result http_request_take(void *http, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    struct http_request *request = *context;
    (void)version;
    if (request) {
        request->path = url;
        request->method = method;
        return *size ? request_add(request, data, size) : http_route(request);
    }
    request = calloc(1, sizeof *request);
    if (request == NULL)
        return MHD_NO;
    *context = request;
    request->http = http;
    request->connection = connection;
    return request_begin(request);
}

void http_request_end(void *http, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode how)
{
    (void)how;
    phase(http, connection, HTTP_RESTING);
    free(*context);
    *context = NULL;
}
