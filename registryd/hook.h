/*
 * Hooks: the configured command, run on every transition. One at a time a breaker: what happens to it meanwhile waits,
 * and of that only the newest. So many at once in all, and each has a deadline. Its arguments and environment are in
 * registryd.conf(5).
 */
#ifndef REGISTRYD_HOOK_H
#define REGISTRYD_HOOK_H

#include <sys/queue.h>
#include <uv.h>

#include "registryd/config.h"
#include "registryd/registry.h"

struct hook_job;

struct hooks {
    const struct config *config; /* what is in force when a hook starts */
    const char *registry;
    uv_loop_t *loop;
    TAILQ_HEAD(, hook_job) waiting, running; /* waiting: the oldest first, one a breaker */
    unsigned waiting_count, running_count;
    bool crowded; /* said that there are too many */
};

/* From now on, and for what the chronicle has found when it began. `config` stays, its content may change. */
void hooks_start(struct hooks *, uv_loop_t *, struct registry *, const struct config *);

/* Those that run are killed; the loop must run on until all handles are closed. */
void hooks_stop(struct hooks *);

#endif
