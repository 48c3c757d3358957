#include "registryd/http_stream.h"

#include <string.h>

#include "registryd/http_reply.h"

#define STREAMS_MAX 16
#define PIECE_SIZE  (16 * 1024)

static void on_end(void *cls)
{
    struct http_stream *stream = cls;
    stream->http->streams--;
    http_text_finish(&stream->text);
    stream->finish(stream);
}

/* Until there is a piece worth sending; a step that wrote nothing lets the loop turn first. */
static void refill(struct http_stream *stream)
{
    stream->text.length = stream->sent = 0;
    do {
        size_t before = stream->text.length;
        stream->ended = !stream->next(stream);
        if (stream->text.length == before)
            return;
    } while (!stream->ended && stream->text.length < PIECE_SIZE);
}

static ssize_t on_read(void *cls, uint64_t position, char *buffer, size_t room)
{
    struct http_stream *stream = cls;
    (void)position;
    if (stream->sent == stream->text.length && !stream->ended)
        refill(stream);
    if (stream->text.failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t left = stream->text.length - stream->sent, length = left < room ? left : room;
    if (length == 0)
        return stream->ended ? MHD_CONTENT_READER_END_OF_STREAM : 0;
    memcpy(buffer, stream->text.bytes + stream->sent, length);
    stream->sent += length;
    return (ssize_t)length;
}

enum MHD_Result http_stream_send(struct http_request *request, struct http_stream *stream, const char *type)
{
    stream->http = request->http;
    if (++stream->http->streams > STREAMS_MAX) {
        on_end(stream);
        return http_reply_error(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                "%d long answers are under way; try again in a second", STREAMS_MAX);
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_SIZE, on_read, stream, on_end);
    if (response == NULL)
        on_end(stream);
    return http_reply_stream(request->connection, request->method, type, response);
}
