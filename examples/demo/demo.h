/* What every part of the demo agrees on. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include <stdint.h>
#include <time.h>

#define WORKERS         8
#define BREAKER         "upstream"
#define POLICY          "failure_threshold=5 open_timeout=2s" /* the same for both crews */
#define CALL_TIMEOUT_MS 1000                                  /* how long a worker waits for an answer */
#define PACE_MS         100                                   /* a worker's time from call to call */
#define OUTAGE_MS       9000

static inline uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

#endif
