/* A worker process: calls the service through a breaker, at a steady pace, until it is killed. */
#ifndef DEMO_WORKER_H
#define DEMO_WORKER_H

#include <stdint.h>

struct worker_task {
    const char *registry; /* one that does not exist: the worker keeps a breaker of its own */
    uint16_t port;        /* of the service */
    uint32_t crew, number;
    int events; /* where to write struct event */
};

_Noreturn void worker_run(const struct worker_task *);

#endif
