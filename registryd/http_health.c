#include "registryd/http_health.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "registryd/http_reply.h"
#include "registryd/state.h"

#define LATE_MS 1000 /* a reaper that has not turned for so long settles no calls */

/* What a process that joins now would find; NULL: the memory that we serve. `error` is used for it. */
static const char *memory_fault(const struct http *http, char error[SEGMENT_ERROR_SIZE])
{
    const struct segment *ours = &http->service->registry->segment;
    struct segment found = {0};
    int result = segment_open(http->registry, false, &found, error);
    if (result < 0)
        return *error ? error : strerror(-result);
    bool same = found.panel->identity == ours->panel->identity;
    segment_close(&found);
    return same ? NULL
                : "the memory that processes find under the registry's name is not the one that registryd serves";
}

enum MHD_Result http_health_show(struct http_request *request, const char *rest)
{
    const struct http *http = request->http;
    char error[SEGMENT_ERROR_SIZE] = "";
    uint64_t now = segment_now_ms(&http->service->registry->segment);
    uint64_t silent = reaper_silent_ms(http->service->reaper);
    const char *fault = memory_fault(http, error);
    (void)rest;
    if (fault == NULL && silent > LATE_MS)
        fault = "workers and calls are not looked after: the reaper does not turn";
    if (fault == NULL && !state_healthy(http->service->state))
        fault = "the state file cannot be written: what is changed now will not outlive the memory";
    json_t *value = json_pack("{s:s, s:s*, s:s, s:s, s:I, s:I, s:I, s:I}", "status", fault ? "unhealthy" : "healthy",
                              "error", fault, "registry", http->registry, "version", CB_VERSION, "uptime_ms",
                              (json_int_t)(now - http->service->started_ms), "breakers",
                              (json_int_t)registry_count(http->service->registry), "workers",
                              (json_int_t)reaper_count(http->service->reaper), "reaper_silent_ms", (json_int_t)silent);
    return http_reply_json(request->connection, fault ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, value);
}
