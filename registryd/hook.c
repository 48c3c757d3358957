#include "registryd/hook.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/words.h"
#include "registryd/hook_text.h"
#include "registryd/log.h"

#define RUNNING_MAX 8
#define WAITING_MAX 1024

struct hook_job {
    TAILQ_ENTRY(hook_job) link;
    struct hooks *hooks;
    struct event event;
    unsigned skipped; /* transitions of this breaker that it stands for besides its own */
    bool overdue;
    uv_process_t process;
    uv_timer_t deadline;
    unsigned open_handles;
};

static void run_waiting(struct hooks *hooks);

/* ---- the end of one ---- */

static void on_closed(uv_handle_t *handle)
{
    struct hook_job *job = handle->data;
    if (--job->open_handles == 0)
        free(job);
}

static void job_close(struct hook_job *job)
{
    TAILQ_REMOVE(&job->hooks->running, job, link);
    job->hooks->running_count--;
    uv_close((uv_handle_t *)&job->process, on_closed);
    uv_close((uv_handle_t *)&job->deadline, on_closed);
}

static void say_failed(const struct hook_job *job, const char *what, long long number)
{
    log_say(LOG_WARNING, "the hook %s for breaker %s (%s): %s %lld", job->hooks->config->hook, job->event.name,
            state_name(job->event.to), what, number);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct hook_job *job = process->data;
    struct hooks *hooks = job->hooks;
    if (job->overdue)
        say_failed(job, "was killed, for it was not done after so many ms:", (long long)hooks->config->hook_timeout_ms);
    else if (signal)
        say_failed(job, "was killed by signal", signal);
    else if (status)
        say_failed(job, "exited with", (long long)status);
    job_close(job);
    run_waiting(hooks);
}

/* It leads a process group of its own: what it has started goes with it. */
static void job_kill(struct hook_job *job)
{
    kill(-job->process.pid, SIGKILL);
}

static void on_deadline(uv_timer_t *timer)
{
    struct hook_job *job = timer->data;
    job->overdue = true;
    job_kill(job);
}

/* ---- the beginning ---- */

/* No shell: names and reasons are data. Its output goes where our log goes. */
static int job_spawn(struct hook_job *job)
{
    struct hook_text text;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 2}, {.flags = UV_INHERIT_FD, .data.fd = 2}};
    hook_text_fill(&text, job->hooks->config->hook, job->hooks->registry, &job->event, job->skipped);
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = text.arguments[0],
        .args = text.arguments,
        .env = text.environment,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = sizeof stdio / sizeof *stdio,
    };
    return uv_spawn(job->hooks->loop, &job->process, &options);
}

/* The job is among those that run. */
static void job_start(struct hook_job *job)
{
    struct hooks *hooks = job->hooks;
    job->process.data = job->deadline.data = job;
    job->open_handles = 2;
    uv_timer_init(hooks->loop, &job->deadline);
    int result = job_spawn(job);
    if (result == 0) {
        uv_timer_start(&job->deadline, on_deadline, hooks->config->hook_timeout_ms, 0);
        return;
    }
    log_say(LOG_WARNING, "the hook %s for breaker %s cannot be started: %s", hooks->config->hook, job->event.name,
            uv_strerror(result));
    job_close(job);
}

static bool is_running(const struct hooks *hooks, const char *name)
{
    const struct hook_job *job;
    TAILQ_FOREACH(job, &hooks->running, link)
    {
        if (strcmp(job->event.name, name) == 0)
            return true;
    }
    return false;
}

static void drop_waiting(struct hooks *hooks)
{
    struct hook_job *job;
    while ((job = TAILQ_FIRST(&hooks->waiting)) != NULL) {
        TAILQ_REMOVE(&hooks->waiting, job, link);
        free(job);
    }
    hooks->waiting_count = 0;
}

static void run_waiting(struct hooks *hooks)
{
    if (*hooks->config->hook == '\0') /* since a reload */
        drop_waiting(hooks);
    struct hook_job *job = TAILQ_FIRST(&hooks->waiting), *next;
    for (; job && hooks->running_count < RUNNING_MAX; job = next) {
        next = TAILQ_NEXT(job, link);
        if (is_running(hooks, job->event.name))
            continue;
        TAILQ_REMOVE(&hooks->waiting, job, link);
        hooks->waiting_count--;
        TAILQ_INSERT_TAIL(&hooks->running, job, link);
        hooks->running_count++;
        job_start(job);
    }
    hooks->crowded &= hooks->waiting_count > 0;
}

/* ---- what is to be done ---- */

static struct hook_job *waiting_of(const struct hooks *hooks, const char *name)
{
    struct hook_job *job;
    TAILQ_FOREACH(job, &hooks->waiting, link)
    {
        if (strcmp(job->event.name, name) == 0)
            return job;
    }
    return NULL;
}

static struct hook_job *job_add(struct hooks *hooks)
{
    struct hook_job *job = hooks->waiting_count < WAITING_MAX ? calloc(1, sizeof *job) : NULL;
    if (job == NULL) {
        if (!hooks->crowded)
            log_say(LOG_WARNING, "%u hooks wait to be run: transitions of further breakers run none",
                    hooks->waiting_count);
        hooks->crowded = true;
        return NULL;
    }
    job->hooks = hooks;
    TAILQ_INSERT_TAIL(&hooks->waiting, job, link);
    hooks->waiting_count++;
    return job;
}

static void on_event(const struct event *event, void *arg)
{
    struct hooks *hooks = arg;
    if (*hooks->config->hook == '\0' || event->from == event->to)
        return;
    struct hook_job *job = waiting_of(hooks, event->name);
    if (job)
        job->skipped++;
    else
        job = job_add(hooks);
    if (job == NULL)
        return;
    job->event = *event;
    run_waiting(hooks);
}

/* Whoever started us may have left us descriptors, and libraries have theirs: none of those is for a hook. */
static void descriptors_keep(void)
{
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

void hooks_start(struct hooks *hooks, uv_loop_t *loop, struct registry *registry, const struct config *config)
{
    const struct segment *segment = &registry->segment;
    struct event event;
    *hooks = (struct hooks){.config = config, .registry = registry->name, .loop = loop};
    TAILQ_INIT(&hooks->waiting);
    TAILQ_INIT(&hooks->running);
    descriptors_keep();
    for (uint64_t i = registry->chronicle.begun; i <= events_last(segment); i++)
        if (events_read(segment, i, &event))
            on_event(&event, hooks);
    chronicle_subscribe(&registry->chronicle, on_event, hooks);
}

void hooks_stop(struct hooks *hooks)
{
    struct hook_job *job;
    drop_waiting(hooks);
    while ((job = TAILQ_FIRST(&hooks->running)) != NULL) {
        job_kill(job);
        job_close(job);
    }
}
