/* What a worker tells the demo about its calls: one event a write, through a pipe that all workers share. */
#ifndef DEMO_EVENT_H
#define DEMO_EVENT_H

#include <stdint.h>

enum event_kind {
    EVENT_READY,    /* attached, about to make its first call */
    EVENT_PROBE,    /* the breaker let this call through to see whether the service is back; its result follows */
    EVENT_SERVED,   /* answered */
    EVENT_FAILED,   /* answered with an error, or the connection failed */
    EVENT_TIMEOUT,  /* not answered in time */
    EVENT_REJECTED, /* the breaker said no: no call was made */
};

/* Far below PIPE_BUF, so that writes of several processes never mix. */
struct event {
    uint64_t at_us;   /* CLOCK_MONOTONIC */
    uint64_t took_us; /* a call's duration; 0 for the others */
    uint32_t crew, worker;
    uint32_t kind;
    uint32_t reserved;
};

#endif
