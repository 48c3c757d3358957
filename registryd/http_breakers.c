#include "registryd/http_breakers.h"

#include <stdlib.h>

#include "core/panel.h"
#include "registryd/http_breaker.h"
#include "registryd/http_reply.h"
#include "registryd/http_stream.h"
#include "registryd/walltime.h"

struct list {
    struct http_stream stream; /* first: a list is its stream */
    struct http_census census;
    bool complete;    /* the census is */
    uint32_t next;    /* of its subjects */
    uint32_t written; /* breakers */
};

static json_t *recent_json(const struct http_recent *recent, const struct http_subject *subject)
{
    struct http_period periods[HTTP_RECENT_PERIODS];
    unsigned count = http_recent_of(recent, subject->slot, commit_incarnation(subject->commit), periods);
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(list, json_pack("[I, I, I]", (json_int_t)periods[i].calls,
                                              (json_int_t)periods[i].failures, (json_int_t)periods[i].rejected));
    return list;
}

static int dump(const char *bytes, size_t length, void *text)
{
    http_text_add(text, bytes, length);
    return 0;
}

static void value_add(struct http_text *text, json_t *value)
{
    text->failed |= value == NULL ||
                    json_dump_callback(value, dump, text, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6)) != 0;
    json_decref(value);
}

static void breaker_add(struct list *list, const struct http_subject *subject)
{
    json_t *value = http_breaker_json(list->census.segment, subject);
    if (value == NULL)
        return; /* removed meanwhile */
    json_object_set_new(value, "recent", recent_json(&list->stream.http->recent, subject));
    http_text_string(&list->stream.text, list->written++ ? "," : "");
    value_add(&list->stream.text, value);
}

/* {"registry":NAME,"time":...,"workers":N,"breakers":[ */
static void head_add(struct list *list)
{
    const struct http *http = list->stream.http;
    char now[WALLTIME_SIZE];
    walltime_format(walltime_now_ms(), now);
    http_text_string(&list->stream.text, "{\"registry\":");
    value_add(&list->stream.text, json_string(http->registry));
    http_text_string(&list->stream.text, ",\"time\":\"");
    http_text_string(&list->stream.text, now);
    http_text_string(&list->stream.text, "\",\"workers\":");
    http_text_count(&list->stream.text, reaper_count(http->service->reaper));
    http_text_string(&list->stream.text, ",\"breakers\":[");
}

static bool census_take(struct list *list)
{
    int result = http_census_step(&list->census);
    list->stream.text.failed |= result < 0;
    list->complete = result > 0;
    if (list->complete)
        head_add(list);
    return result >= 0;
}

static bool list_next(struct http_stream *stream)
{
    struct list *list = (struct list *)stream;
    if (!list->complete)
        return census_take(list);
    if (list->next < list->census.count) {
        breaker_add(list, &list->census.subjects[list->next++]);
        return true;
    }
    http_text_string(&stream->text, "]}\n");
    return false;
}

static void list_finish(struct http_stream *stream)
{
    http_census_finish(&((struct list *)stream)->census);
    free(stream);
}

enum MHD_Result http_breakers_list(struct http_request *request, const char *rest)
{
    struct list *list = calloc(1, sizeof *list);
    (void)rest;
    if (list == NULL)
        return MHD_NO;
    http_census_init(&list->census, &request->http->service->registry->segment);
    list->stream.next = list_next;
    list->stream.finish = list_finish;
    return http_stream_send(request, &list->stream, "application/json");
}
