/* A small HTTP client for tests: raw sockets, so that a test can also send what is no HTTP. Uses Criterion's assertions. */
#ifndef TESTS_PROCESS_WEB_H
#define TESTS_PROCESS_WEB_H

#include <jansson.h>
#include <stddef.h>

#include "tests/harness.h"

/* An answer. */
struct web {
    int status;    /* 0: the connection ended without one */
    char *headers; /* as they came, the status line first; NUL-terminated */
    char *body;    /* decoded, NUL-terminated */
    size_t length; /* of the body */
    size_t raw;    /* all that came */
};
void web_free(struct web *);

/* The port that the daemon said it serves. */
unsigned web_port(const struct daemon *);

/* A connection to 127.0.0.1; a test that waits on it longer than the harness's deadline fails. */
int web_connect(unsigned port);

/* Send `text` on a new connection and read until it ends. */
void web_send(struct web *, unsigned port, const char *text);

/* "METHOD PATH" with Host: localhost, further `headers` (each "Name: value\r\n") and a body; NULL: none. */
void web_ask(struct web *, unsigned port, const char *what, const char *headers, const char *body);
void web_get(struct web *, unsigned port, const char *path);

/* A header's value into `out`, "" if it is not there. */
const char *web_header(const struct web *, const char *name, char out[256]);

/* The body as JSON; for json_decref(). */
json_t *web_json(const struct web *);

/* GET path, which must be answered with 200, as JSON. */
json_t *web_get_json(unsigned port, const char *path);

#endif
