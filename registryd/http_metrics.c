#include "registryd/http_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "registryd/http_stream.h"

#define TYPE_OPEN    "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define TYPE_CLASSIC "text/plain; version=0.0.4; charset=utf-8"

struct scrape {
    struct http_stream stream; /* first: a scrape is its stream */
    struct http_census census;
    bool complete, open;
    uint32_t family, subject; /* what comes next */
};

static void registry_add(struct http_exposition *out, const struct http *http)
{
    for (const struct http_registry_family *family = http_registry_families; family->name; family++) {
        http_family(out, family->name, family->metric, family->unit, family->help);
        family->write(out, family->name, http);
    }
}

/* Each family's samples stand together, so the breakers are gone through once a family. */
static bool scrape_next(struct http_stream *stream)
{
    struct scrape *scrape = (struct scrape *)stream;
    struct http_exposition out = {&stream->text, scrape->open};
    if (!scrape->complete) {
        int result = http_census_step(&scrape->census);
        stream->text.failed |= result < 0;
        scrape->complete = result > 0;
        return result >= 0;
    }
    const struct http_breaker_family *family = &http_breaker_families[scrape->family];
    if (family->name == NULL) {
        registry_add(&out, stream->http);
        http_exposition_end(&out);
        return false;
    }
    if (scrape->subject == 0)
        http_family(&out, family->name, family->metric, family->unit, family->help);
    if (scrape->subject < scrape->census.count)
        family->write(&out, family->name, &scrape->census.subjects[scrape->subject]);
    if (++scrape->subject >= scrape->census.count) {
        scrape->subject = 0;
        scrape->family++;
    }
    return true;
}

static void scrape_finish(struct http_stream *stream)
{
    http_census_finish(&((struct scrape *)stream)->census);
    free(stream);
}

/* Who names a text format, and not this one, gets the older. */
static bool wants_open(const struct http_request *request)
{
    const char *accept = http_request_header(request, MHD_HTTP_HEADER_ACCEPT);
    return accept == NULL || strstr(accept, "openmetrics-text") || strstr(accept, "text/") == NULL;
}

enum MHD_Result http_metrics_show(struct http_request *request, const char *rest)
{
    struct scrape *scrape = calloc(1, sizeof *scrape);
    (void)rest;
    if (scrape == NULL)
        return MHD_NO;
    http_census_init(&scrape->census, &request->http->service->registry->segment);
    scrape->open = wants_open(request);
    scrape->stream.next = scrape_next;
    scrape->stream.finish = scrape_finish;
    return http_stream_send(request, &scrape->stream, scrape->open ? TYPE_OPEN : TYPE_CLASSIC);
}
