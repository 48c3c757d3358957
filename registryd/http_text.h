/* A text that grows. */
#ifndef REGISTRYD_HTTP_TEXT_H
#define REGISTRYD_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty. */
struct http_text {
    char *bytes; /* not NUL-terminated */
    size_t length, room;
    bool failed; /* no memory: it is not whole, and nothing more is added */
};

void http_text_add(struct http_text *, const char *bytes, size_t length);
void http_text_string(struct http_text *, const char *string);
void http_text_count(struct http_text *, uint64_t count); /* in decimal */
void http_text_seconds(struct http_text *, uint64_t ms);  /* "1.5"; UINT64_MAX: "+Inf" */
void http_text_number(struct http_text *, double number); /* up to 15 digits */
void http_text_finish(struct http_text *);

#endif
