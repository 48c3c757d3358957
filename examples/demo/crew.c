#include "crew.h"

#include <errno.h>
#include <signal.h>

#include "child.h"
#include "worker.h"

int crew_start(struct crew *crew, uint32_t number, const char *registry, const struct upstream *upstream, int events)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct worker_task task = {registry, upstream->port, number, i, events};
        pid_t pid = child_fork(SIGKILL);
        if (pid == 0)
            worker_run(&task);
        if (pid < 0)
            return -errno;
        crew->workers[i].pid = pid;
        crew->live++;
    }
    return 0;
}

void crew_stop(struct crew *crew)
{
    for (unsigned i = 0; i < WORKERS; i++)
        child_end(&crew->workers[i].pid, SIGKILL);
    crew->live = 0;
}

void crew_kill_one(struct crew *crew)
{
    child_end(&crew->workers[WORKERS - 1].pid, SIGKILL);
    crew->live--;
}

static unsigned served(struct crew *crew, struct worker *worker, uint64_t at_us)
{
    unsigned moments = worker->probing ? 1u << MOMENT_PROBE_SERVED : 0;
    worker->probing = false;
    worker->served++;
    crew->served++;
    if (worker->told && !worker->back) {
        worker->back = true;
        crew->back++;
        crew->back_us = at_us;
        moments |= 1u << MOMENT_BACK;
    }
    return moments;
}

static unsigned waited(struct crew *crew, struct worker *worker, uint64_t took_us)
{
    bool probe = worker->probing;
    worker->probing = false;
    crew->waited++;
    crew->lost_us += took_us;
    return 1u << (probe ? MOMENT_PROBE_TIMEOUT : MOMENT_TIMEOUT);
}

static unsigned rejected(struct crew *crew, struct worker *worker, uint64_t at_us)
{
    if (worker->told)
        return 0;
    worker->told = true;
    crew->told++;
    crew->told_us = at_us;
    return 1u << MOMENT_TOLD;
}

unsigned crew_event(struct crew *crew, const struct event *event)
{
    struct worker *worker = &crew->workers[event->worker];
    switch ((enum event_kind)event->kind) {
    case EVENT_READY:
        crew->ready++;
        break;
    case EVENT_PROBE:
        worker->probing = true;
        crew->probes++;
        return 1u << MOMENT_PROBE;
    case EVENT_SERVED:
        return served(crew, worker, event->at_us);
    case EVENT_TIMEOUT:
        return waited(crew, worker, event->took_us);
    case EVENT_REJECTED:
        return rejected(crew, worker, event->at_us);
    case EVENT_FAILED:
        worker->probing = false;
        break;
    }
    return 0;
}

bool crew_served(const struct crew *crew, unsigned calls)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (crew->workers[i].pid > 0 && crew->workers[i].served < calls)
            return false;
    return true;
}
