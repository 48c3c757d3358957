/* What each breaker did in the last minutes, a row of periods: for the page's sparklines. Sampled only while HTTP is on. */
#ifndef REGISTRYD_HTTP_RECENT_H
#define REGISTRYD_HTTP_RECENT_H

#include <stdbool.h>
#include <uv.h>

#include "core/segment.h"

#define HTTP_RECENT_PERIODS   60
#define HTTP_RECENT_PERIOD_MS 5000

struct http_period {
    uint32_t calls, failures, rejected; /* outcomes of any kind; failed, abandoned and overdue; rejections */
};

struct http_history;
struct http_recent {
    const struct segment *segment;
    struct http_history *histories; /* by slot; pages of those that have no breaker are never touched */
    uint32_t next;                  /* the slot to sample next */
    uv_timer_t timer;
    bool started;
};

bool http_recent_start(struct http_recent *, uv_loop_t *, const struct segment *);
void http_recent_stop(struct http_recent *); /* the loop must run on until the handle is closed */

/* A breaker's periods, oldest first, into `out`; returns how many there are yet. */
unsigned http_recent_of(const struct http_recent *, uint32_t slot, uint16_t incarnation,
                        struct http_period out[HTTP_RECENT_PERIODS]);

#endif
