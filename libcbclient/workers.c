/* The processes that are attached. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "core/process.h"

_Static_assert(sizeof((struct cb_worker *)0)->command == COMMAND_SIZE, "a command fits");

static struct cb_worker worker_of(uint64_t process, uint32_t number, uint32_t in_flight)
{
    struct cb_worker worker = {.pid = process_pid(process), .lane = number, .in_flight = in_flight};
    worker.started_ms = process_ticks(process) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    process_command(process, worker.command);
    return worker;
}

int cb_list_workers(cb_registry *registry, cb_worker_visit *visit, void *arg)
{
    if (!registry || !visit)
        return fail(-EINVAL, "cb_list_workers: a NULL argument");
    const struct membership *membership = registry_looked_at(registry);
    if (!membership)
        return 0;
    const struct segment *segment = &membership->segment;
    uint32_t *in_flight = calloc(segment->worker_count, sizeof *in_flight);
    if (!in_flight)
        return fail(-ENOMEM, "no memory to list %u workers", segment->worker_count);
    tally_in_flight(segment, NULL, in_flight);
    int code = 0;
    for (uint32_t i = 0; i < segment->worker_count && code == 0; i++) {
        uint64_t process = atomic_load(&segment->workers[i].process);
        if (process == 0)
            continue;
        struct cb_worker worker = worker_of(process, i, in_flight[i]);
        code = visit(&worker, arg);
    }
    free(in_flight);
    return code;
}
