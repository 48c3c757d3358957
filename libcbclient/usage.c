/* How full a registry is. */
#include <errno.h>
#include <string.h>

#include "client.h"

_Static_assert(sizeof((struct cb_usage *)0)->socket == PATH_SIZE, "a path fits");

static uint64_t breakers_counted(const struct segment *segment, uint64_t *places)
{
    struct policy_view view;
    uint64_t breakers = 0;
    for (uint32_t slot = 0; slot < segment->capacity; slot++) {
        if (!(panel_commit(segment, slot) & TRAIT_USED) || !panel_policy(segment, slot, &view))
            continue;
        breakers++;
        *places += view.place_length + view.past_length;
    }
    return breakers;
}

static uint64_t workers_counted(const struct segment *segment, uint64_t *untracked)
{
    uint64_t workers = 0;
    for (uint32_t i = 0; i < segment->worker_count; i++) {
        if (atomic_load_explicit(&segment->workers[i].process, memory_order_relaxed) == 0)
            continue;
        workers++;
        *untracked += atomic_load_explicit(&segment->workers[i].untracked, memory_order_relaxed);
    }
    return workers;
}

static uint64_t chunks_counted(const struct segment *segment)
{
    uint64_t chunks = 0;
    for (uint32_t i = 0; i < segment->chunk_count; i++)
        chunks += atomic_load_explicit(&segment->owners[i], memory_order_relaxed) != 0;
    return chunks;
}

static void usage_fill(struct cb_usage *usage, const struct segment *segment)
{
    usage->breakers = breakers_counted(segment, &usage->places);
    usage->breaker_room = segment->capacity;
    usage->workers = workers_counted(segment, &usage->untracked);
    usage->worker_room = segment->worker_count;
    usage->calls = chunks_counted(segment) * CHUNK_CALLS;
    usage->call_room = (uint64_t)segment->chunk_count * CHUNK_CALLS;
    usage->place_room = segment->place_count;
    usage->memory = segment->panel_size + segment->live_size;
    memcpy(usage->socket, segment->panel->socket, sizeof segment->panel->socket);
    usage->socket[sizeof usage->socket - 1] = '\0';
}

int cb_usage_of(cb_registry *registry, struct cb_usage *out, size_t size)
{
    if (!registry || !out || size == 0)
        return fail(-EINVAL, "cb_usage_of: a NULL argument or a size of 0");
    const struct membership *membership = registry_looked_at(registry);
    struct cb_usage full = {0};
    if (membership)
        usage_fill(&full, &membership->segment);
    memset(out, 0, size);
    memcpy(out, &full, size < sizeof full ? size : sizeof full);
    return 0;
}
