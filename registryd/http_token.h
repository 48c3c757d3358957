/* The secret that actions over HTTP need, from a file that only the administrator may read. */
#ifndef REGISTRYD_HTTP_TOKEN_H
#define REGISTRYD_HTTP_TOKEN_H

#include <stdbool.h>

#define HTTP_TOKEN_LEAST 16
#define HTTP_TOKEN_SIZE  257 /* 256 characters and a terminator */

struct http_token {
    char text[HTTP_TOKEN_SIZE]; /* "": there is none; what is not used is zero */
};

/* Read the first line of the file at `path` ("": no token). False: why not has been said, and *out is as it was. */
bool http_token_load(const char *path, struct http_token *out);

/* Is `given` the token? Takes as long whatever it is. */
bool http_token_is(const struct http_token *, const char *given);

#endif
