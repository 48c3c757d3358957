#include "remains.h"

#include <stdio.h>
#include <unistd.h>

#include "core/lane.h"
#include "core/panel.h"

static bool workers_remain(const struct segment *segment, const struct crew *crew, char what[160])
{
    for (uint32_t i = 0; i < segment->worker_count; i++) {
        pid_t pid = (pid_t)process_pid(atomic_load(&segment->workers[i].process));
        if (pid == 0 || pid == getpid() || crew_has(crew, pid))
            continue;
        snprintf(what, 160, "worker number %u still belongs to pid %d, which is dead", i, (int)pid);
        return true;
    }
    return false;
}

static bool chunk_remains(const struct segment *segment, uint32_t chunk, char what[160])
{
    uint32_t owner = atomic_load(&segment->owners[chunk]);
    if (owner > segment->worker_count || (owner != 0 && atomic_load(&segment->workers[owner - 1].process) == 0)) {
        snprintf(what, 160, "chunk %u belongs to worker number %u, which nobody has", chunk, owner - 1);
        return true;
    }
    for (uint32_t i = 0; i < CHUNK_CALLS; i++) {
        uint64_t word = atomic_load(&segment->chunks[chunk].calls[i].call);
        if (!(word & CALL_BUSY))
            continue;
        snprintf(what, 160, "a call is in flight that nobody makes: %016llx in chunk %u of worker number %d",
                 (unsigned long long)word, chunk, (int)owner - 1);
        return true;
    }
    return false;
}

static bool extent_remains(const struct segment *segment, uint32_t slot, uint32_t first, uint32_t length,
                           char what[160])
{
    for (uint32_t i = first; i < first + length; i++) {
        uint64_t holder = atomic_load(&segment->places[i]);
        if (holder == 0)
            continue;
        snprintf(what, 160, "bulkhead place %u of %u to %u, slot %u, is taken by a call that is over: %016llx", i,
                 first, first + length - 1, slot, (unsigned long long)holder);
        return true;
    }
    return false;
}

/* Places that belong to no breaker may hold anything: they are emptied when one gets them. */
static bool places_remain(const struct segment *segment, char what[160])
{
    struct policy_view view;
    bool found = false;
    for (uint32_t slot = 0; slot < segment->capacity && !found; slot++)
        found = panel_policy(segment, slot, &view) &&
                (extent_remains(segment, slot, view.place_first, view.place_length, what) ||
                 extent_remains(segment, slot, view.past_first, view.past_length, what));
    return found;
}

bool remains_found(const struct segment *segment, const struct crew *crew, char what[160])
{
    bool found = workers_remain(segment, crew, what);
    for (uint32_t chunk = 0; chunk < segment->chunk_count && !found; chunk++)
        found = chunk_remains(segment, chunk, what);
    return found || places_remain(segment, what);
}
