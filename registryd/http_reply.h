/* Answers over HTTP: each with the headers that keep a browser from doing more with it than we meant. */
#ifndef REGISTRYD_HTTP_REPLY_H
#define REGISTRYD_HTTP_REPLY_H

#include <jansson.h>
#include <microhttpd.h>

/* Each queues the answer and returns what the access handler returns. */

/* `value` as JSON, and its reference taken; NULL: no memory. */
enum MHD_Result http_reply_json(struct MHD_Connection *, unsigned status, json_t *value);

/* {"error": a sentence}. */
enum MHD_Result http_reply_error(struct MHD_Connection *, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a method that the address does not know; `allow`: those that it does. */
enum MHD_Result http_reply_not_allowed(struct MHD_Connection *, const char *allow);

/* 401, and the header that goes with it. */
enum MHD_Result http_reply_unauthorized(struct MHD_Connection *, const char *what);

/* A response of unknown length, to a request by `method`. */
enum MHD_Result http_reply_stream(struct MHD_Connection *, const char *method, const char *type, struct MHD_Response *);

/* Any other response: add the headers that all have, queue and release it. NULL: no memory, the connection ends. */
enum MHD_Result http_reply_queue(struct MHD_Connection *, unsigned status, const char *type, struct MHD_Response *);

#endif
