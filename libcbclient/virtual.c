#include <errno.h>

#include "client.h"

int cb_virtual_open(cb_registry **out)
{
    if (!out)
        return fail(-EINVAL, "cb_virtual_open: out is NULL");
    *out = NULL;
    cb_registry *registry;
    int code = registry_create("virtual", &registry);
    if (code < 0)
        return code;
    registry->is_virtual = true;
    if (!registry_own(registry)) {
        cb_detach(&registry);
        return fail(-ENOMEM, "no memory for a virtual registry");
    }
    *out = registry;
    return 0;
}

int cb_virtual_advance(cb_registry *registry, uint64_t now_ms)
{
    if (!registry || !registry->is_virtual)
        return fail(-EINVAL, "cb_virtual_advance: not a virtual registry");
    if (now_ms < registry->virtual_ms)
        return fail(-EINVAL, "cb_virtual_advance: time does not run backwards, from %llu to %llu ms",
                    (unsigned long long)registry->virtual_ms, (unsigned long long)now_ms);
    registry->virtual_ms = now_ms;
    return 0;
}

int cb_virtual_tick(cb_registry *registry)
{
    if (!registry || !registry->is_virtual)
        return fail(-EINVAL, "cb_virtual_tick: not a virtual registry");
    call_tick(&registry->own->segment);
    call_lapse(&registry->own->segment);
    return 0;
}
