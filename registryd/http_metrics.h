/* What /metrics says of each breaker, of the registry and of the daemon. */
#ifndef REGISTRYD_HTTP_METRICS_H
#define REGISTRYD_HTTP_METRICS_H

#include "registryd/http_census.h"
#include "registryd/http_exposition.h"
#include "registryd/http_request.h"

/* One family of the breakers' metrics, and of the others. */
struct http_breaker_family {
    const char *name, *unit, *help;
    enum http_metric metric;
    void (*write)(struct http_exposition *, const char *name, const struct http_subject *);
};
struct http_registry_family {
    const char *name, *unit, *help;
    enum http_metric metric;
    void (*write)(struct http_exposition *, const char *name, const struct http *);
};

extern const struct http_breaker_family http_breaker_families[];   /* the last one has no name */
extern const struct http_registry_family http_registry_families[]; /* likewise */

enum MHD_Result http_metrics_show(struct http_request *, const char *rest);

#endif
