#include "registryd/http_route.h"

#include <string.h>

#include "registryd/http_action.h"
#include "registryd/http_breaker.h"
#include "registryd/http_breakers.h"
#include "registryd/http_events.h"
#include "registryd/http_health.h"
#include "registryd/http_metrics.h"
#include "registryd/http_page.h"
#include "registryd/http_reply.h"

/* `rest`: what stands behind the route's path. */
typedef enum MHD_Result answer(struct http_request *, const char *rest);

static const struct route {
    const char *path;
    bool open;         /* more may follow */
    answer *get, *put; /* HEAD is GET; NULL: not that method */
} routes[] = {
    {"/metrics", false, http_metrics_show, NULL},
    {"/healthz", false, http_health_show, NULL},
    {"/api/v1/breakers", false, http_breakers_list, NULL},
    {"/api/v1/breakers/", true, http_breaker_show, http_action_run},
    {"/api/v1/events", false, http_events_send, NULL},
    {"/", true, http_page_show, NULL}, /* last: the page's files */
};

static const struct route *route_find(const char *path, const char **rest)
{
    for (const struct route *route = routes;; route++) {
        size_t length = strlen(route->path);
        *rest = path + length;
        if (strncmp(path, route->path, length) == 0 && (route->open || **rest == '\0'))
            return route;
    }
}

enum MHD_Result http_route(struct http_request *request)
{
    const char *rest = "", *path = *request->path == '/' ? request->path : "/";
    const struct route *route = route_find(path, &rest);
    bool get = strcmp(request->method, MHD_HTTP_METHOD_GET) == 0 || strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0;
    bool post = strcmp(request->method, MHD_HTTP_METHOD_POST) == 0;
    if (get && route->get)
        return route->get(request, rest);
    if (post && route->put)
        return route->put(request, rest);
    return http_reply_not_allowed(request->connection, route->put ? "GET, HEAD, POST" : "GET, HEAD");
}
