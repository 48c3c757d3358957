#include "registryd/http_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/events.h"
#include "core/panel.h"
#include "registryd/http_event.h"
#include "registryd/http_reply.h"
#include "registryd/http_text.h"

#define LISTENERS_MAX 64
#define QUIET_MS      15000       /* then a comment shows that both ends are alive */
#define PIECE_SIZE    (16 * 1024) /* filled before it is sent */
#define LOOK_MAX      1024        /* events looked at before the loop turns */

static const char beginning[] = "retry: 1000\n\n"; /* a browser that loses us tries again after a second */

struct http_listener {
    TAILQ_ENTRY(http_listener) link;
    struct http *http;
    struct MHD_Connection *connection;
    char breaker[NAME_SIZE]; /* "": all */
    uint64_t next;           /* number of the event that it has not seen */
    uint64_t spoken_ms;      /* when something was last written for it */
    bool suspended, ended;
    struct http_text text; /* not yet sent, from `sent` on */
    size_t sent;
};

static const struct segment *segment_of(const struct http *http)
{
    return &http->service->registry->segment;
}

/* ---- writing ---- */

static int dump(const char *bytes, size_t length, void *text)
{
    http_text_add(text, bytes, length);
    return 0;
}

/* `id` is what a reader that comes back has seen last. */
static void event_add(struct http_listener *listener, const struct event *event, uint64_t id)
{
    json_t *value = http_event_json(event);
    http_text_string(&listener->text, "id: ");
    http_text_count(&listener->text, id);
    http_text_string(&listener->text, "\ndata: ");
    listener->text.failed |= value == NULL || json_dump_callback(value, dump, &listener->text, JSON_COMPACT) != 0;
    http_text_string(&listener->text, "\n\n");
    json_decref(value);
}

static bool is_wanted(const struct http_listener *listener, const struct event *event)
{
    return *listener->breaker == '\0' || strncmp(listener->breaker, event->name, NAME_SIZE) == 0;
}

/* The next event, or how many are gone. */
static void event_take(struct http_listener *listener)
{
    const struct segment *segment = segment_of(listener->http);
    uint64_t first = events_first(segment);
    struct event event;
    if (listener->next < first) {
        event = http_event_missed(segment, first - listener->next);
        event_add(listener, &event, first - 1);
        listener->next = first;
    } else if (events_read(segment, listener->next, &event)) {
        if (is_wanted(listener, &event))
            event_add(listener, &event, event.sequence);
        listener->next++;
    }
}

/* True: there may be more to look at. */
static bool refill(struct http_listener *listener)
{
    uint64_t now = segment_now_ms(segment_of(listener->http)), last = events_last(segment_of(listener->http));
    listener->text.length = listener->sent = 0;
    for (unsigned i = 0; i < LOOK_MAX && listener->next <= last && listener->text.length < PIECE_SIZE; i++)
        event_take(listener);
    if (listener->text.length == 0 && now - listener->spoken_ms >= QUIET_MS)
        http_text_string(&listener->text, ":\n\n");
    if (listener->text.length)
        listener->spoken_ms = now;
    return listener->next <= last;
}

static ssize_t on_read(void *cls, uint64_t position, char *buffer, size_t room)
{
    struct http_listener *listener = cls;
    (void)position;
    bool more = listener->sent == listener->text.length && !listener->ended && refill(listener);
    if (listener->ended || listener->text.failed)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t left = listener->text.length - listener->sent, length = left < room ? left : room;
    if (length == 0 && !more) {
        listener->suspended = true;
        MHD_suspend_connection(listener->connection);
    }
    if (length > 0)
        memcpy(buffer, listener->text.bytes + listener->sent, length);
    listener->sent += length;
    return (ssize_t)length;
}

/* ---- waking ---- */

static void wake(struct http_listener *listener)
{
    if (!listener->suspended)
        return;
    listener->suspended = false;
    MHD_resume_connection(listener->connection);
    http_hurry(listener->http);
}

static void on_event(const struct event *event, void *arg)
{
    struct http *http = arg;
    struct http_listener *listener;
    TAILQ_FOREACH(listener, &http->listeners, link)
    {
        if (is_wanted(listener, event))
            wake(listener);
    }
}

void http_events_start(struct http *http)
{
    TAILQ_INIT(&http->listeners);
    http->listener_count = 0;
    chronicle_subscribe(&http->service->registry->chronicle, on_event, http);
}

void http_events_turn(struct http *http)
{
    uint64_t now = segment_now_ms(segment_of(http));
    struct http_listener *listener;
    TAILQ_FOREACH(listener, &http->listeners, link)
    {
        const struct http_peer *peer = http_peer_of(listener->connection);
        listener->ended |= listener->suspended && peer && http_peer_has_left(peer);
        if (listener->ended || now - listener->spoken_ms >= QUIET_MS)
            wake(listener);
    }
}

void http_events_stop(struct http *http)
{
    struct http_listener *listener;
    TAILQ_FOREACH(listener, &http->listeners, link)
    {
        listener->ended = true;
        wake(listener);
    }
}

/* ---- a new listener ---- */

static void on_end(void *cls)
{
    struct http_listener *listener = cls;
    TAILQ_REMOVE(&listener->http->listeners, listener, link);
    listener->http->listener_count--;
    http_text_finish(&listener->text);
    free(listener);
}

/* Where to begin. A number that is still to come is another registry's: everything here is new to such a reader. */
static bool place_take(const struct http_request *request, const struct segment *segment, uint64_t *next)
{
    const char *after = http_request_header(request, MHD_HTTP_HEADER_LAST_EVENT_ID);
    if (after == NULL)
        after = http_request_query(request, "after");
    uint64_t last = events_last(segment), seen = after ? strtoull(after, NULL, 10) : last;
    *next = seen > last ? events_first(segment) : seen + 1;
    return after == NULL || (*after && after[strspn(after, "0123456789")] == '\0' && strlen(after) < 20);
}

static struct http_listener *listener_create(struct http_request *request, const char *breaker, uint64_t next)
{
    struct http *http = request->http;
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return NULL;
    listener->http = http;
    listener->connection = request->connection;
    listener->next = next;
    listener->spoken_ms = segment_now_ms(segment_of(http));
    snprintf(listener->breaker, sizeof listener->breaker, "%s", breaker);
    http_text_string(&listener->text, beginning);
    TAILQ_INSERT_TAIL(&http->listeners, listener, link);
    http->listener_count++;
    http_peer_enter(&http->peers, http_peer_of(request->connection), HTTP_LISTENING, listener->spoken_ms);
    return listener;
}

enum MHD_Result http_events_send(struct http_request *request, const char *rest)
{
    const char *breaker = http_request_query(request, "breaker");
    uint64_t next = 0;
    (void)rest;
    if (breaker && !breaker_name_valid(breaker, strlen(breaker)))
        return http_reply_error(request->connection, MHD_HTTP_BAD_REQUEST, "breaker: \"%.100s\" is no breaker's name",
                                breaker);
    if (!place_take(request, segment_of(request->http), &next))
        return http_reply_error(request->connection, MHD_HTTP_BAD_REQUEST,
                                "after, Last-Event-ID: the number of an event is wanted");
    if (request->http->listener_count == LISTENERS_MAX)
        return http_reply_error(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "%d others listen to events already",
                                LISTENERS_MAX);
    struct http_listener *listener = listener_create(request, breaker ? breaker : "", next);
    struct MHD_Response *response =
        listener ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_SIZE, on_read, listener, on_end) : NULL;
    if (listener && response == NULL)
        on_end(listener);
    return http_reply_stream(request->connection, request->method, "text/event-stream", response);
}
