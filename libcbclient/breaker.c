/* Handles of breakers: finding, creating, and binding them to where they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "core/clock.h"

#define REJOIN_EVERY_MS 1000
#define NAME_RULE       "a breaker's name is 1 to 63 bytes of A-Z a-z 0-9 . _ : / @ -"

/* ---- the handles of a registry, by name: open addressing, at most half full ---- */

static size_t breaker_index(const cb_registry *registry, const char *name)
{
    size_t i = panel_hash(name) & (registry->breaker_room - 1);
    for (;; i = (i + 1) & (registry->breaker_room - 1)) {
        const struct handle *handle = &registry->breakers[i];
        __builtin_prefetch(handle->block);
        if (!handle->breaker || strcmp(handle->breaker->name, name) == 0)
            return i;
    }
}

static int breakers_grow(cb_registry *registry)
{
    size_t old_room = registry->breaker_room, room = old_room ? old_room * 2 : 64;
    struct handle *old = registry->breakers, *breakers = calloc(room, sizeof *breakers);
    if (!breakers)
        return fail(-ENOMEM, "no memory for %zu breakers", room / 2);
    registry->breakers = breakers;
    registry->breaker_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].breaker)
            breakers[breaker_index(registry, old[i].breaker->name)] = old[i];
    free(old);
    return 0;
}

static cb_breaker *breaker_lookup(const cb_registry *registry, const char *name)
{
    return registry->breaker_room ? registry->breakers[breaker_index(registry, name)].breaker : NULL;
}

/* The handle of that name, made if there is none. */
static int breaker_handle(cb_registry *registry, const char *name, cb_breaker **out)
{
    *out = breaker_lookup(registry, name);
    if (*out)
        return 0;
    if (registry->breaker_count * 2 >= registry->breaker_room && breakers_grow(registry) != 0)
        return -ENOMEM;
    cb_breaker *breaker = calloc(1, sizeof *breaker);
    if (!breaker)
        return fail(-ENOMEM, "no memory for breaker '%s'", name);
    breaker->registry = registry;
    strcpy(breaker->name, name);
    registry->breakers[breaker_index(registry, name)].breaker = breaker;
    registry->breaker_count++;
    *out = breaker;
    return 0;
}

/* ---- binding ---- */

static int breaker_bind(cb_breaker *breaker, struct membership *membership, uint32_t slot)
{
    struct binding *binding = breaker->bound ? calloc(1, sizeof *binding) : &breaker->first;
    if (!binding)
        return fail(-ENOMEM, "no memory for breaker '%s'", breaker->name);
    binding->target = plain_target(&membership->segment, slot);
    binding->retired = &membership->segment.panel->retired;
    binding->lane = membership->lane;
    binding->membership = membership;
    binding->name = breaker->name;
    binding->shared = membership->shared;
    binding->slot = slot;
    binding->incarnation = commit_incarnation(panel_commit(&membership->segment, slot));
    binding->next = breaker_binding(breaker);
    breaker->bound = true;
    breaker->registry->breakers[breaker_index(breaker->registry, breaker->name)].block = binding->target.control;
    /* Releases its fields to whoever follows the pointer. */
    atomic_store_explicit(&breaker->binding, binding, memory_order_release);
    return 0;
}

/* To the shared registry, if the breaker is there. */
static int breaker_bind_shared(cb_breaker *breaker)
{
    struct membership *shared = atomic_load(&breaker->registry->shared);
    if (!shared)
        return CB_ENOTFOUND;
    int64_t slot = panel_find(&shared->segment, breaker->name);
    return slot < 0 ? CB_ENOTFOUND : breaker_bind(breaker, shared, (uint32_t)slot);
}

static int breaker_create_shared(cb_breaker *breaker, const char *policy, int deadline_ms)
{
    Cb__Create create = CB__CREATE__INIT;
    create.name = breaker->name;
    create.policy = (char *)(policy ? policy : "");
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_CREATE;
    request.create = &create;
    Cb__Reply *reply;
    int code = wire_exchange(breaker->registry, &request, deadline_ms, &reply);
    if (code < 0)
        return code;
    cb__reply__free_unpacked(reply, NULL);
    code = breaker_bind_shared(breaker);
    return code == CB_ENOTFOUND ? fail(CB_ENOTFOUND, "breaker '%s' was removed while it was created", breaker->name)
                                : code;
}

static int breaker_bind_own(cb_breaker *breaker)
{
    struct policy policy;
    uint32_t slot;
    struct membership *own = registry_own(breaker->registry);
    if (!own)
        return fail(-ENOMEM, "no memory for private breakers");
    if (policy_parse(breaker->policy, &policy, error_buffer()) < 0)
        policy_default(&policy);
    int code = panel_create(&own->segment, breaker->name, &policy, 0, &slot, error_buffer());
    if (code < 0)
        return code == -ENOSPC ? CB_EFULL : code;
    return breaker_bind(breaker, own, slot);
}

static bool breaker_needs_binding(const cb_breaker *breaker)
{
    struct binding *binding = breaker_binding(breaker);
    return !binding || !binding->membership->shared || !binding_current(binding);
}

/* All of them in one go, so that a registry that comes back is looked for once a second and not once a breaker. */
static void breakers_rebind(cb_registry *registry)
{
    bool daemon_answers = true;
    for (size_t i = 0; i < registry->breaker_room; i++) {
        cb_breaker *breaker = registry->breakers[i].breaker;
        if (!breaker || !breaker_needs_binding(breaker) || breaker_bind_shared(breaker) == 0)
            continue;
        if (breaker->policy && daemon_answers && atomic_load(&registry->shared))
            daemon_answers = breaker_create_shared(breaker, breaker->policy, WIRE_DEADLINE_JOIN_MS) != CB_EUNREACHABLE;
        struct binding *binding = breaker_binding(breaker);
        if (!binding || !binding_current(binding))
            breaker_bind_own(breaker);
    }
}

void breaker_rejoin(cb_breaker *breaker)
{
    cb_registry *registry = breaker->registry;
    if (registry->is_virtual)
        return;
    uint64_t now = clock_coarse_ms();
    uint64_t due = atomic_load_explicit(&registry->next_try_ms, memory_order_relaxed);
    bool gone = !binding_current(breaker_binding(breaker));
    if (!gone && (now < due || !atomic_compare_exchange_strong(&registry->next_try_ms, &due, now + REJOIN_EVERY_MS)))
        return;
    int saved = errno;
    if (registry_trylock(registry)) {
        registry_join(registry);
        breakers_rebind(registry);
        registry_unlock(registry);
    }
    errno = saved;
}

/* ---- public ---- */

static int name_check(const char *name)
{
    if (breaker_name_valid(name, strlen(name)))
        return 0;
    return fail(CB_ENAME, NAME_RULE "; this one has %zu bytes", strlen(name));
}

static int breaker_get(cb_registry *registry, const char *name, cb_breaker **out)
{
    cb_breaker *breaker = breaker_lookup(registry, name);
    if (breaker && breaker_binding(breaker) && binding_current(breaker_binding(breaker))) {
        *out = breaker;
        return 0;
    }
    registry_join(registry);
    struct membership *shared = atomic_load(&registry->shared);
    if (!shared || panel_find(&shared->segment, name) < 0)
        return fail(CB_ENOTFOUND, "registry '%s' has no breaker '%s'", registry->name, name);
    int code = breaker_handle(registry, name, &breaker);
    if (code == 0)
        code = breaker_bind_shared(breaker);
    if (code == 0)
        *out = breaker;
    return code;
}

int cb_get(cb_registry *registry, const char *name, cb_breaker **out)
{
    if (!registry || !name || !out)
        return fail(-EINVAL, "cb_get: a NULL argument");
    *out = NULL;
    int code = name_check(name);
    if (code < 0)
        return code;
    registry_lock(registry);
    code = breaker_get(registry, name, out);
    registry_unlock(registry);
    return code;
}

static int policy_compare(const cb_breaker *breaker, const struct policy *wanted)
{
    struct policy_view view;
    const struct binding *binding = breaker_binding(breaker);
    if (!panel_policy(&binding->membership->segment, binding->slot, &view) ||
        memcmp(&view.policy, wanted, sizeof *wanted) == 0)
        return 0;
    return fail(CB_POLICY_DIFFERS, "breaker '%s' exists with another policy, which stays as it is", breaker->name);
}

/* Remember what to create it with, should it have to be created again: what was asked for last. */
static int breaker_remember(cb_breaker *breaker, const char *policy)
{
    if (breaker->policy && (!policy || strcmp(breaker->policy, policy) == 0))
        return 0;
    char *copy = strdup(policy ? policy : "");
    if (!copy)
        return fail(-ENOMEM, "no memory for breaker '%s'", breaker->name);
    free(breaker->policy);
    breaker->policy = copy;
    return 0;
}

/* Find it in the shared registry, else create it there, else (no registry, or its daemon is away) in private memory. */
static int breaker_obtain(cb_breaker *breaker, const char *policy)
{
    struct binding *binding = breaker_binding(breaker);
    if (binding && binding_current(binding))
        return 0;
    registry_join(breaker->registry);
    int code = breaker_bind_shared(breaker);
    if (code == CB_ENOTFOUND && atomic_load(&breaker->registry->shared))
        code = breaker_create_shared(breaker, policy, WIRE_DEADLINE_MS);
    else if (code == CB_ENOTFOUND)
        return breaker_bind_own(breaker);
    if (code == CB_EUNREACHABLE) {
        int own = breaker_bind_own(breaker);
        return own < 0 ? own : code;
    }
    return code;
}

int cb_get_or_create(cb_registry *registry, const char *name, const char *policy, cb_breaker **out)
{
    struct policy wanted;
    cb_breaker *breaker;
    if (!registry || !name || !out)
        return fail(-EINVAL, "cb_get_or_create: a NULL argument");
    *out = NULL;
    int code = name_check(name);
    if (code == 0)
        code = policy_of_text(policy, &wanted);
    if (code < 0)
        return code;
    registry_lock(registry);
    code = breaker_handle(registry, name, &breaker);
    if (code == 0)
        code = breaker_remember(breaker, policy);
    if (code == 0)
        code = breaker_obtain(breaker, policy);
    registry_unlock(registry);
    if (code == 0 || code == CB_EUNREACHABLE)
        *out = breaker;
    return code == 0 && policy ? policy_compare(breaker, &wanted) : code;
}

const char *cb_name_of(const cb_breaker *breaker)
{
    return breaker ? breaker->name : "";
}
