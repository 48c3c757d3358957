#include "registryd/reaper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/call.h"
#include "registryd/log.h"
#include "registryd/process.h"

#define TURN_MS     20
#define LAPSE_TURNS 50 /* leases and overrides lapse for whoever calls; this is for breakers that nobody calls */

struct watch {
    struct reaper *reaper;
    uint32_t worker;
    uint64_t process; /* the record that is watched */
    int pidfd;
    uv_poll_t poll;
};

static uint64_t record_of(const struct reaper *reaper, uint32_t worker)
{
    return atomic_load_explicit(&reaper->registry->segment.workers[worker].process, memory_order_acquire);
}

static void watch_free(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    close(watch->pidfd);
    free(watch);
}

static void watch_end(struct watch *watch)
{
    watch->reaper->watches[watch->worker] = NULL;
    watch->reaper->count--;
    uv_close((uv_handle_t *)&watch->poll, watch_free);
}

static void bury(const struct reaper *reaper, uint32_t worker, uint64_t process)
{
    uint32_t calls = worker_reap(&reaper->registry->segment, worker);
    if (calls > 0)
        log_say(LOG_NOTICE, "worker %u (pid %u) died: %u of its calls count as abandoned", worker, process_pid(process),
                calls);
}

static void on_death(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct reaper *reaper = watch->reaper;
    uint32_t worker = watch->worker;
    uint64_t process = watch->process;
    (void)status;
    (void)events;
    watch_end(watch);
    if (record_of(reaper, worker) == process) /* else it had left by itself */
        bury(reaper, worker, process);
}

static bool watch_begin(struct reaper *reaper, uint32_t worker, uint64_t process, int pidfd)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL || uv_poll_init(reaper->loop, &watch->poll, pidfd) != 0) {
        free(watch);
        close(pidfd);
        return false;
    }
    *watch = (struct watch){reaper, worker, process, pidfd, watch->poll};
    watch->poll.data = watch;
    uv_poll_start(&watch->poll, UV_READABLE, on_death);
    reaper->watches[worker] = watch;
    reaper->count++;
    return true;
}

/* Somebody new has the number: watch, or bury at once. What fails now is tried again in the next turn. */
static bool meet(struct reaper *reaper, uint32_t worker, uint64_t process)
{
    int pidfd = process_watch(process);
    if (pidfd >= 0)
        return watch_begin(reaper, worker, process, pidfd);
    if (pidfd == -ESRCH) {
        bury(reaper, worker, process);
    } else if (!reaper->warned) {
        reaper->warned = true;
        log_say(LOG_WARNING, "pid %u cannot be watched: %s; looking again every %d ms", process_pid(process),
                strerror(-pidfd), TURN_MS);
    }
    return false;
}

bool reaper_watch(struct reaper *reaper, uint32_t worker)
{
    uint64_t process = record_of(reaper, worker);
    struct watch *watch = reaper->watches[worker];
    if (watch && watch->process == process)
        return true;
    if (watch)
        watch_end(watch);
    return process != 0 && meet(reaper, worker, process);
}

static void on_turn(uv_timer_t *timer)
{
    struct reaper *reaper = timer->data;
    for (uint32_t worker = 0; worker < reaper->registry->segment.worker_count; worker++)
        if (reaper->watches[worker] || record_of(reaper, worker))
            reaper_watch(reaper, worker);
    if (reaper->registry->timed)
        call_tick(&reaper->registry->segment);
    if (++reaper->turns % LAPSE_TURNS == 0)
        call_lapse(&reaper->registry->segment);
}

bool reaper_start(struct reaper *reaper, uv_loop_t *loop, struct registry *registry)
{
    *reaper = (struct reaper){.registry = registry, .loop = loop};
    reaper->watches = calloc(registry->segment.worker_count, sizeof(struct watch *));
    if (reaper->watches == NULL) {
        log_say(LOG_ERR, "no memory for %u workers", registry->segment.worker_count);
        return false;
    }
    uv_timer_init(loop, &reaper->timer);
    reaper->timer.data = reaper;
    uv_timer_start(&reaper->timer, on_turn, 0, TURN_MS);
    return true;
}

void reaper_stop(struct reaper *reaper)
{
    for (uint32_t worker = 0; worker < reaper->registry->segment.worker_count; worker++)
        if (reaper->watches[worker])
            watch_end(reaper->watches[worker]);
    uv_close((uv_handle_t *)&reaper->timer, NULL);
    free(reaper->watches);
    reaper->watches = NULL;
}

uint32_t reaper_count(const struct reaper *reaper)
{
    return reaper->count;
}
