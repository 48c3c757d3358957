/* Eight workers that live through the outage together, and what it cost them. */
#ifndef DEMO_CREW_H
#define DEMO_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "demo.h"
#include "event.h"
#include "upstream.h"

enum { CREW_SHARED, CREW_PRIVATE, CREWS };

/* What is worth telling about a crew. */
enum moment {
    MOMENT_TIMEOUT,       /* a call waited for the time-out */
    MOMENT_TOLD,          /* a worker fails fast for the first time in the outage */
    MOMENT_PROBE,         /* a probe went out */
    MOMENT_PROBE_TIMEOUT, /* it was not answered */
    MOMENT_PROBE_SERVED,  /* it was */
    MOMENT_BACK,          /* a worker is served for the first time since it was told */
    MOMENTS
};

struct worker {
    pid_t pid;
    bool probing, told, back;
    unsigned served;
};

struct crew {
    struct worker workers[WORKERS];
    unsigned live, ready, told, back; /* workers */
    unsigned served, waited, probes;  /* calls; `waited`: for the time-out */
    uint64_t lost_us;                 /* worker time spent waiting for the time-out */
    uint64_t told_us, back_us;        /* when the latest worker was */
};

/* Fork the workers of crew number `number`. 0 or -errno. */
int crew_start(struct crew *, uint32_t number, const char *registry, const struct upstream *, int events);
void crew_stop(struct crew *);

/* kill -9 its last worker. */
void crew_kill_one(struct crew *);

/* Count one worker's event; what it means for the crew: a set of 1 << enum moment. */
unsigned crew_event(struct crew *, const struct event *);

/* Every worker that lives has had `calls` answers. */
bool crew_served(const struct crew *, unsigned calls);

#endif
