#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

/* What a process keeps for itself while there is no registry; touched only as far as it is used. */
static struct geometry own_geometry(void)
{
    struct geometry geometry;
    geometry_default(&geometry, 1024);
    geometry.worker_count = 8;
    geometry.chunk_count = 4096;
    geometry.place_count = 2 * POLICY_MAX_CONCURRENT;
    geometry.journal_length = 1024;
    geometry.event_length = 1; /* its history is its journal: nobody else writes there */
    return geometry;
}

static void locks_init(cb_registry *registry)
{
    pthread_mutex_init(&registry->mutex, NULL);
    pthread_mutex_init(&registry->wire, NULL);
}

/* A fork copies locks and private memory as they stood, and shares the connection: the first to come in the child makes
 * them anew. Done here rather than by pthread_atfork, which _Fork does not call. A child that is forked in the middle of
 * this finds its parent adopting, and begins again. */
void registry_adopt(cb_registry *registry)
{
    uint64_t self = process_number(), seen = atomic_load(&registry->process);
    if ((uint32_t)seen != self && atomic_compare_exchange_strong(&registry->process, &seen, self | ADOPTING)) {
        locks_init(registry);
        if (registry->fd >= 0)
            close(registry->fd);
        registry->fd = -1;
        if (registry->own)
            segment_inherit(&registry->own->segment);
        atomic_store(&registry->process, self);
    }
    while (atomic_load(&registry->process) != self)
        sched_yield();
}

void registry_lock(cb_registry *registry)
{
    registry_adopt(registry);
    pthread_mutex_lock(&registry->mutex);
}

bool registry_trylock(cb_registry *registry)
{
    registry_adopt(registry);
    return pthread_mutex_trylock(&registry->mutex) == 0;
}

void registry_unlock(cb_registry *registry)
{
    pthread_mutex_unlock(&registry->mutex);
}

static void membership_destroy(struct membership *membership)
{
    lane_destroy(&membership->segment, membership->lane);
    segment_close(&membership->segment);
    free(membership);
}

/* Give a mapped segment its lane and its place among the memberships. Takes the segment over, also on failure. */
static struct membership *membership_add(cb_registry *registry, struct segment segment, bool shared)
{
    struct membership *membership = calloc(1, sizeof *membership);
    if (!membership) {
        segment_close(&segment);
        return NULL;
    }
    membership->segment = segment;
    membership->shared = shared;
    if (lane_create(&membership->lane) != 0) {
        membership_destroy(membership);
        return NULL;
    }
    lane_start(&membership->segment, membership->lane);
    membership->next = registry->memberships;
    registry->memberships = membership;
    return membership;
}

int registry_join(cb_registry *registry)
{
    struct membership *current = atomic_load(&registry->shared);
    if (registry->is_virtual)
        return 0;
    if (current && !atomic_load_explicit(&current->segment.panel->retired, memory_order_acquire))
        return 0;
    struct segment segment;
    int code = segment_open(registry->name, registry->offline, &segment, error_buffer());
    if (code < 0)
        return code;
    current = membership_add(registry, segment, true);
    if (!current)
        return fail(-ENOMEM, "no memory to join registry '%s'", registry->name);
    atomic_store(&registry->shared, current);
    if (!registry->offline)
        wire_attach(registry, current);
    return 0;
}

int registry_refresh(cb_registry *registry)
{
    registry_lock(registry);
    int code = registry_join(registry);
    registry_unlock(registry);
    return code;
}

struct membership *registry_own(cb_registry *registry)
{
    struct segment segment;
    struct geometry geometry = own_geometry();
    if (registry->own || segment_private(&geometry, &segment) != 0)
        return registry->own;
    if (registry->is_virtual)
        segment.virtual_ms = &registry->virtual_ms;
    registry->own = membership_add(registry, segment, false);
    return registry->own;
}

int registry_create(const char *name, cb_registry **out)
{
    cb_registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        return fail(-ENOMEM, "no memory for a registry's handle");
    strcpy(registry->name, name);
    registry->fd = -1;
    atomic_store(&registry->process, process_number());
    locks_init(registry);
    *out = registry;
    return 0;
}

static int attach(const char *name, bool offline, cb_registry **out)
{
    *out = NULL;
    if (!name)
        name = getenv("CB_REGISTRY");
    if (!name || !*name)
        name = "default";
    if (!registry_name_valid(name))
        return fail(CB_ENAME, "a registry's name is 1 to 63 bytes of A-Z a-z 0-9 . _ -");
    int code = registry_create(name, out);
    if (code < 0)
        return code;
    (*out)->offline = offline;
    return registry_join(*out);
}

int cb_attach(const char *name, cb_registry **out)
{
    return out ? attach(name, false, out) : fail(-EINVAL, "cb_attach: out is NULL");
}

int cb_attach_offline(const char *name, cb_registry **out)
{
    int code = out ? attach(name, true, out) : fail(-EINVAL, "cb_attach_offline: out is NULL");
    if (code < 0 && out)
        cb_detach(out);
    return code;
}

static void breaker_destroy(cb_breaker *breaker)
{
    struct binding *binding = atomic_load(&breaker->binding);
    while (binding && binding != &breaker->first) {
        struct binding *before = binding->next;
        free(binding);
        binding = before;
    }
    free(breaker->policy);
    free(breaker);
}

void cb_detach(cb_registry **handle)
{
    if (!handle || !*handle)
        return;
    cb_registry *registry = *handle;
    *handle = NULL;
    registry_adopt(registry);
    for (size_t i = 0; i < registry->breaker_room; i++)
        if (registry->breakers[i].breaker)
            breaker_destroy(registry->breakers[i].breaker);
    for (struct membership *m = registry->memberships, *next; m; m = next) {
        next = m->next;
        membership_destroy(m);
    }
    if (registry->fd >= 0)
        close(registry->fd);
    pthread_mutex_destroy(&registry->mutex);
    pthread_mutex_destroy(&registry->wire);
    free(registry->breakers);
    free(registry->packet);
    free(registry);
}

int cb_is_shared(const cb_registry *registry)
{
    return registry && atomic_load(&registry->shared) != NULL;
}

const char *cb_registry_name(const cb_registry *registry)
{
    return registry ? registry->name : "";
}
