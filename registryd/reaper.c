#include "registryd/reaper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/call.h"
#include "core/clock.h"
#include "core/lane.h"
#include "registryd/log.h"
#include "registryd/process.h"

#define TURN_MS      20
#define CLOCK_SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

#define TICK_FIRST  3 /* turns, for two measurements; then one in TICK_TURNS, for it takes some time */
#define TICK_TURNS  50
#define LAPSE_TURNS 50   /* leases and overrides lapse for whoever calls; this is for breakers that nobody calls */
#define GUARD_STEPS 6000 /* locks that the kernel may pass by in a turn: all of them for each question */

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
    inspector_know(&watch->reaper->inspector, watch->worker, 0);
    watch->reaper->count--;
    watch->reaper->guarded -= (watch->process & WORKER_GUARDED) != 0;
    uv_close((uv_handle_t *)&watch->poll, watch_free);
}

/* Its calls are settled before the loop waits again. */
static void mourn(struct reaper *reaper, uint32_t worker, uint64_t process)
{
    reaper->dead_count += reaper->dead[worker] == 0;
    reaper->dead[worker] = process;
}

/* Its name, which its events are given. */
static void forget_name(struct reaper *reaper, uint64_t process)
{
    chronicle_forget(&reaper->registry->chronicle, process_pid(process));
}

/* Those whose record has changed had left by themselves. */
static void forget_others(struct reaper *reaper)
{
    for (uint32_t worker = 0; worker < reaper->registry->segment.worker_count; worker++)
        if (reaper->dead[worker] != 0 && record_of(reaper, worker) != reaper->dead[worker]) {
            forget_name(reaper, reaper->dead[worker]);
            reaper->dead[worker] = 0;
        }
}

static void tell_and_forget(struct reaper *reaper)
{
    for (uint32_t worker = 0; worker < reaper->registry->segment.worker_count; worker++) {
        if (reaper->settled[worker] > 0)
            log_say(LOG_NOTICE, "worker %u (pid %u) died: %u of its calls count as abandoned", worker,
                    process_pid(reaper->dead[worker]), reaper->settled[worker]);
        if (reaper->dead[worker] != 0)
            forget_name(reaper, reaper->dead[worker]);
        reaper->dead[worker] = 0;
        reaper->settled[worker] = 0;
    }
    reaper->dead_count = 0;
}

/* Deaths come in crowds (a prefork master's group is killed), and whose a call is stands with the call: one look at all
 * of them will do. */
static void on_funeral(uv_prepare_t *funeral)
{
    struct reaper *reaper = funeral->data;
    if (reaper->dead_count == 0)
        return;
    forget_others(reaper);
    workers_reap(&reaper->registry->segment, reaper->dead, reaper->settled);
    chronicle_turn(&reaper->registry->chronicle);
    tell_and_forget(reaper);
}

static void on_death(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct reaper *reaper = watch->reaper;
    chronicle_turn(&reaper->registry->chronicle); /* what it has done, while its name can be had */
    uint32_t worker = watch->worker;
    uint64_t process = watch->process;
    (void)status;
    (void)events;
    watch_end(watch);
    mourn(reaper, worker, process);
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
    chronicle_meet(&reaper->registry->chronicle, process_pid(process));
    inspector_know(&reaper->inspector, worker, process);
    reaper->count++;
    reaper->guarded += (process & WORKER_GUARDED) != 0;
    return true;
}

/* Somebody new has the number: watch, or mourn. What fails now is tried again in the next turn. */
static bool meet(struct reaper *reaper, uint32_t worker, uint64_t process)
{
    int pidfd = process_watch(process);
    if (pidfd >= 0 && !inspector_guarded(&reaper->inspector, worker, process)) {
        close(pidfd);
        pidfd = -ESRCH; /* it has become another program */
    }
    if (pidfd >= 0)
        return watch_begin(reaper, worker, process, pidfd);
    if (pidfd == -ESRCH) {
        mourn(reaper, worker, process);
    } else if (!reaper->warned) {
        reaper->warned = true;
        log_say(LOG_WARNING, "pid %u cannot be watched: %s; looking again every %d ms", process_pid(process),
                strerror(-pidfd), TURN_MS);
    }
    return false;
}

bool reaper_watch(struct reaper *reaper, uint32_t worker)
{
    uint64_t process = inspector_record(&reaper->inspector, worker, record_of(reaper, worker));
    struct watch *watch = reaper->watches[worker];
    if (watch && watch->process == process)
        return true;
    if (watch) {
        forget_name(reaper, watch->process);
        watch_end(watch);
    }
    return process != 0 && meet(reaper, worker, process);
}

static void ask_about(struct reaper *reaper, struct watch *watch)
{
    uint32_t worker = watch->worker;
    uint64_t process = watch->process;
    if (inspector_guarded(&reaper->inspector, worker, process))
        return;
    watch_end(watch);
    mourn(reaper, worker, process);
}

/* Who has become another program: its calls ended with the old one. All are asked about in a turn, up to some sixty;
 * a thousand in some seconds. */
static void ask_guards(struct reaper *reaper)
{
    const uint32_t workers = reaper->registry->segment.worker_count;
    uint32_t questions = reaper->guarded ? GUARD_STEPS / reaper->guarded + 1 : 0;
    for (uint32_t i = 0; i < workers && questions > 0; i++) {
        struct watch *watch = reaper->watches[reaper->next_guard++ % workers];
        if (watch == NULL || !(watch->process & WORKER_GUARDED))
            continue;
        questions--;
        ask_about(reaper, watch);
    }
}

static void note_turn(struct reaper *reaper)
{
    uint64_t silent = reaper_silent_ms(reaper);
    reaper->late_ms = reaper->turned_ms && silent > TURN_MS ? silent - TURN_MS : 0;
    reaper->turned_ms = segment_now_ms(&reaper->registry->segment);
}

static void on_turn(uv_timer_t *timer)
{
    struct reaper *reaper = timer->data;
    note_turn(reaper);
    chronicle_turn(&reaper->registry->chronicle); /* before those who have left are forgotten */
    inspector_begin(&reaper->inspector);
    for (uint32_t worker = 0; worker < reaper->registry->segment.worker_count; worker++)
        if (inspector_changed(&reaper->inspector, worker))
            reaper_watch(reaper, worker);
    ask_guards(reaper);
    if (reaper->turns < TICK_FIRST || reaper->turns % TICK_TURNS == 0)
        tickrate_turn(&reaper->tickrate, &reaper->registry->segment.panel_rw->tick);
    inspector_turn(&reaper->inspector);
    if (reaper->registry->timed)
        call_tick(&reaper->registry->segment);
    if (++reaper->turns % LAPSE_TURNS == 0)
        call_lapse(&reaper->registry->segment);
}

static bool tables_create(struct reaper *reaper, uint32_t workers)
{
    reaper->watches = calloc(workers, sizeof *reaper->watches);
    reaper->dead = calloc(workers, sizeof *reaper->dead);
    reaper->settled = calloc(workers, sizeof *reaper->settled);
    return reaper->watches && reaper->dead && reaper->settled && inspector_start(&reaper->inspector, reaper->registry);
}

static void tables_destroy(struct reaper *reaper)
{
    free(reaper->watches);
    free(reaper->dead);
    free(reaper->settled);
    inspector_stop(&reaper->inspector);
    reaper->watches = NULL;
    reaper->dead = NULL;
    reaper->settled = NULL;
}

bool reaper_start(struct reaper *reaper, uv_loop_t *loop, struct registry *registry)
{
    *reaper = (struct reaper){.registry = registry, .loop = loop};
    if (!tables_create(reaper, registry->segment.worker_count)) {
        tables_destroy(reaper);
        log_say(LOG_ERR, "no memory for %u workers", registry->segment.worker_count);
        return false;
    }
    tickrate_start(&reaper->tickrate, CLOCK_SOURCE);
    uv_timer_init(loop, &reaper->timer);
    uv_prepare_init(loop, &reaper->funeral);
    reaper->timer.data = reaper->funeral.data = reaper;
    uv_timer_start(&reaper->timer, on_turn, 0, TURN_MS);
    uv_prepare_start(&reaper->funeral, on_funeral);
    return true;
}

void reaper_stop(struct reaper *reaper)
{
    for (uint32_t worker = 0; worker < reaper->registry->segment.worker_count; worker++)
        if (reaper->watches[worker])
            watch_end(reaper->watches[worker]);
    tickrate_stop(&reaper->tickrate);
    uv_close((uv_handle_t *)&reaper->timer, NULL);
    uv_close((uv_handle_t *)&reaper->funeral, NULL);
    tables_destroy(reaper);
}

uint64_t reaper_silent_ms(const struct reaper *reaper)
{
    return segment_now_ms(&reaper->registry->segment) - reaper->turned_ms;
}

uint32_t reaper_count(const struct reaper *reaper)
{
    return reaper->count;
}
