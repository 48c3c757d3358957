/* The text that Prometheus reads: OpenMetrics 1.0, or the older text format. A family is its head, then its samples. */
#ifndef REGISTRYD_HTTP_EXPOSITION_H
#define REGISTRYD_HTTP_EXPOSITION_H

#include "registryd/http_text.h"

enum http_metric { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

struct http_exposition {
    struct http_text *text;
    bool open; /* OpenMetrics */
};

struct http_label {
    const char *name, *value; /* the value as it is: it is escaped here */
};

/* "# HELP", "# TYPE" and, with a unit, "# UNIT". `name` has neither "_total" nor "_info". */
void http_family(struct http_exposition *, const char *name, enum http_metric, const char *unit, const char *help);

/* One sample up to its value, which the caller adds with http_text_count() or http_text_number(), and then a newline.
 * `suffix`: "_total", "_bucket" ... Labels end with one whose name is NULL. */
void http_sample(struct http_exposition *, const char *name, const char *suffix, const struct http_label *labels);

/* The end of it all. */
void http_exposition_end(struct http_exposition *);

#endif
