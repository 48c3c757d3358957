/* A long answer, written piece by piece as the peer takes it: neither memory nor the loop's time grows with its length. */
#ifndef REGISTRYD_HTTP_STREAM_H
#define REGISTRYD_HTTP_STREAM_H

#include "registryd/http_request.h"
#include "registryd/http_text.h"

struct http_stream {
    struct http *http;
    struct http_text text; /* written and not yet sent, from `sent` on */
    size_t sent;
    bool ended;
    bool (*next)(struct http_stream *);   /* add a piece, or none yet; false: that was the last */
    void (*finish)(struct http_stream *); /* free what the stream is part of */
};

/* Answer with what stream->next writes. The stream belongs to the answer from now on, also when this fails; `text` may
 * have a beginning already. */
enum MHD_Result http_stream_send(struct http_request *, struct http_stream *, const char *type);

#endif
