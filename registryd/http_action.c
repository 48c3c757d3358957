#include "registryd/http_action.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/reason.h"
#include "registryd/control.h"
#include "registryd/http_breaker.h"
#include "registryd/http_reply.h"
#include "registryd/log.h"

#define MARK         "http" /* in front of each reason: who did it is not known, but how */
#define WRONG_LOG_MS 60000

struct wish {
    char reason[REASON_SIZE];
    uint64_t for_ms;
};

static const struct action {
    const char *name;
    void (*control)(struct registry *, struct actor, uint32_t slot, const char *reason); /* or: */
    enum breaker_state imposed;                                                          /* STATE_CLOSED ends one */
} actions[] = {
    {"trip", control_trip, STATE_CLOSED},       {"reset", control_reset, STATE_CLOSED},
    {"force-open", NULL, STATE_FORCED_OPEN},    {"disable", NULL, STATE_DISABLED},
    {"metrics-only", NULL, STATE_METRICS_ONLY}, {"auto", NULL, STATE_CLOSED},
};

/* ---- who may ---- */

/* A password that somebody tries is news, but not a thousand times. */
static void say_wrong(struct http *http)
{
    uint64_t now = segment_now_ms(&http->service->registry->segment);
    if (http->wrong_ms && now - http->wrong_ms < WRONG_LOG_MS)
        return;
    http->wrong_ms = now;
    log_say(LOG_WARNING, "http: an action was refused: the token was wrong");
}

static bool is_authorized(struct http_request *request, enum MHD_Result *result)
{
    static const char scheme[] = "Bearer ";
    const char *given = http_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    if (*request->http->token.text == '\0') {
        *result = http_reply_error(request->connection, MHD_HTTP_FORBIDDEN,
                                   "actions over HTTP are off: set http_token_file in registryd.conf, or use cbctl");
        return false;
    }
    bool bearer = given && strncasecmp(given, scheme, sizeof scheme - 1) == 0;
    if (bearer && http_token_is(&request->http->token, given + sizeof scheme - 1))
        return true;
    if (bearer)
        say_wrong(request->http);
    *result = http_reply_unauthorized(request->connection, bearer ? "that is not the token of http_token_file"
                                                                  : "an action needs Authorization: Bearer TOKEN");
    return false;
}

/* ---- what is asked ---- */

static bool refuse(struct http_request *request, enum MHD_Result *result, const char *what)
{
    *result = http_reply_error(request->connection, MHD_HTTP_BAD_REQUEST, "%s", what);
    return false;
}

static const char *reason_take(const json_t *value, struct wish *wish)
{
    const char *text = json_string_value(value);
    if (value && text == NULL)
        return "reason: not a string";
    int length = snprintf(wish->reason, sizeof wish->reason, MARK "%s%s", text && *text ? ": " : "", text ? text : "");
    if (length >= REASON_SIZE)
        return "reason: more than 121 bytes";
    return reason_fault(wish->reason) ? "reason: has a control character" : NULL;
}

static const char *time_take(const json_t *value, const struct action *action, struct wish *wish)
{
    if (value == NULL)
        return NULL;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > POLICY_MAX_MS)
        return "for_ms: not a whole number from 0 (no end) to 604800000 (7 days)";
    wish->for_ms = (uint64_t)json_integer_value(value);
    return wish->for_ms && action->imposed == STATE_CLOSED
               ? "for_ms: only force-open, disable and metrics-only end by themselves"
               : NULL;
}

/* {} or nothing will do. NULL, or what is wrong. */
static const char *body_take(const json_t *body, const struct action *action, struct wish *wish)
{
    const json_t *reason = json_object_get(body, "reason"), *for_ms = json_object_get(body, "for_ms");
    if (body && json_object_size(body) != (size_t)(reason != NULL) + (for_ms != NULL))
        return "a key that is neither reason nor for_ms";
    const char *wrong = reason_take(reason, wish);
    return wrong ? wrong : time_take(for_ms, action, wish);
}

static bool wish_take(struct http_request *request, const struct action *action, struct wish *wish,
                      enum MHD_Result *result)
{
    json_error_t error;
    json_t *body = request->length ? json_loadb(request->body, request->length, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (request->length && !json_is_object(body)) {
        json_decref(body);
        return refuse(request, result, "the body is no JSON object {\"reason\": TEXT, \"for_ms\": N}");
    }
    const char *wrong = body_take(body, action, wish);
    json_decref(body);
    return wrong == NULL || refuse(request, result, wrong);
}

static const struct action *action_find(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (name && strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

/* ---- doing it ---- */

static void action_do(struct http *http, const struct action *action, uint32_t slot, const struct wish *wish)
{
    struct actor actor = {.pid = (uint32_t)getpid(), .uid = (uint32_t)geteuid()};
    if (action->control)
        action->control(http->service->registry, actor, slot, wish->reason);
    else
        control_override(http->service->registry, actor, slot, action->imposed, wish->for_ms, wish->reason);
}

enum MHD_Result http_action_run(struct http_request *request, const char *name_and_action)
{
    char name[NAME_SIZE] = "";
    const char *slash = strrchr(name_and_action, '/');
    const struct action *action = action_find(slash ? slash + 1 : NULL);
    struct wish wish = {.for_ms = 0};
    enum MHD_Result result = MHD_NO;
    if (!is_authorized(request, &result))
        return result;
    if (action == NULL)
        return http_reply_error(request->connection, MHD_HTTP_NOT_FOUND,
                                "an action is NAME/ and trip, reset, force-open, disable, metrics-only or auto");
    if ((size_t)(slash - name_and_action) < sizeof name)
        memcpy(name, name_and_action, (size_t)(slash - name_and_action));
    int64_t slot = http_breaker_find(request, name, &result);
    if (slot < 0 || !wish_take(request, action, &wish, &result))
        return result;
    action_do(request->http, action, (uint32_t)slot, &wish);
    return http_breaker_show(request, name);
}
