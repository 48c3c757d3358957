/* One request over HTTP: taken whole, then answered by what its address names. */
#ifndef REGISTRYD_HTTP_REQUEST_H
#define REGISTRYD_HTTP_REQUEST_H

#include <microhttpd.h>

#include "registryd/http.h"

#define HTTP_BODY_MAX 4096

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    const char *method, *path; /* the path decoded; valid during the request */
    size_t length;
    char body[HTTP_BODY_MAX + 1]; /* NUL-terminated */
};

/* The value of a header or of `?key=value`; NULL: none. */
const char *http_request_header(const struct http_request *, const char *name);
const char *http_request_query(const struct http_request *, const char *key);

/* libmicrohttpd's callbacks; `http` is the struct http, *context the request. */
enum MHD_Result http_request_take(void *http, struct MHD_Connection *, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context);
void http_request_end(void *http, struct MHD_Connection *, void **context, enum MHD_RequestTerminationCode);

#endif
