/* Controls without a daemon: its requests, carried out here on the memory, by the memory's owner. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "core/action.h"
#include "core/keeper.h"

/* A request under way. */
struct job {
    cb_registry *registry;
    struct scribe *scribe;
    struct actor actor;
};

static int find(const struct job *job, const char *name, uint32_t *slot)
{
    int64_t found = panel_find(job->scribe->segment, name);
    *slot = (uint32_t)found;
    return found >= 0 ? 0 : fail(CB_ENOTFOUND, "registry '%s' has no breaker '%s'", job->registry->name, name);
}

static int panel_code(int result)
{
    return result == -ENOSPC ? CB_EFULL : result < 0 ? result : 0;
}

/* ---- a function a kind ---- */

static int create(const struct job *job, const Cb__Request *request)
{
    struct policy policy;
    uint32_t slot;
    int code = policy_of_text(request->create->policy, &policy);
    if (code < 0)
        return code;
    return panel_code(action_create(job->scribe, job->actor, request->create->name, &policy, &slot, error_buffer()));
}

static int set_policy(const struct job *job, const Cb__Request *request)
{
    struct policy policy;
    uint32_t slot;
    int code = find(job, request->set_policy->name, &slot);
    if (code == 0)
        code = policy_of_text(request->set_policy->policy, &policy);
    return code < 0 ? code : panel_code(action_set_policy(job->scribe, job->actor, slot, &policy, error_buffer()));
}

static int trip(const struct job *job, const Cb__Request *request)
{
    uint32_t slot;
    int code = find(job, request->trip->name, &slot);
    if (code == 0)
        action_trip(job->scribe, job->actor, slot, request->trip->reason);
    return code;
}

static int reset(const struct job *job, const Cb__Request *request)
{
    uint32_t slot;
    if (*request->reset->name == '\0') {
        action_reset_all(job->scribe, job->actor, request->reset->reason);
        return 0;
    }
    int code = find(job, request->reset->name, &slot);
    if (code == 0)
        action_reset(job->scribe, job->actor, slot, request->reset->reason);
    return code;
}

static int override(const struct job *job, const Cb__Request *request)
{
    const Cb__Override *asked = request->override;
    uint32_t slot;
    int code = find(job, asked->name, &slot);
    if (code == 0)
        action_override(job->scribe, job->actor, slot, (enum breaker_state)asked->state, asked->for_ms, asked->reason);
    return code;
}

static int remove_breaker(const struct job *job, const Cb__Request *request)
{
    uint32_t slot;
    int code = find(job, request->remove->name, &slot);
    if (code == 0)
        action_remove(job->scribe, job->actor, slot, request->remove->reason);
    return code;
}

static int (*const kinds[])(const struct job *, const Cb__Request *) = {
    [CB__REQUEST__KIND_CREATE] = create,     [CB__REQUEST__KIND_SET_POLICY] = set_policy,
    [CB__REQUEST__KIND_TRIP] = trip,         [CB__REQUEST__KIND_RESET] = reset,
    [CB__REQUEST__KIND_OVERRIDE] = override, [CB__REQUEST__KIND_REMOVE] = remove_breaker,
};

/* ---- one request ---- */

static int kept(const cb_registry *registry, const struct segment *segment)
{
    unsigned pid = keeper_pid(segment);
    if (keeper_serves(segment))
        return fail(CB_ERUNNING, "registry '%s' is served by registryd, pid %u: changes go through it", registry->name,
                    pid);
    return fail(CB_ERUNNING, "registry '%s' is being changed by another process, pid %u", registry->name, pid);
}

static int carry_out(cb_registry *registry, struct segment *segment, const Cb__Request *request)
{
    struct scribe *scribe = calloc(1, sizeof *scribe);
    struct job job = {registry, scribe, {.pid = (uint32_t)getpid(), .uid = (uint32_t)getuid()}};
    int code = scribe ? scribe_open(scribe, segment, NULL, NULL) : -ENOMEM;
    if (code < 0) {
        free(scribe);
        return fail(code, "no memory to change registry '%s'", registry->name);
    }
    action_resume(scribe);
    code = kinds[request->kind_case](&job, request);
    scribe_close(scribe);
    free(scribe);
    return code;
}

/* The keeper for one request. */
static int carry_out_as_keeper(cb_registry *registry, struct segment *segment, const Cb__Request *request)
{
    int code = keeper_take(segment, KEEPER_TOOL);
    if (code == -EBUSY)
        return kept(registry, segment);
    if (code < 0)
        return fail(code, "registry '%s' cannot be locked: %s", registry->name, strerrordesc_np(-code));
    if (atomic_load(&segment->panel->retired))
        code = fail(CB_ERETIRED, "registry '%s' has just been replaced: attach again", registry->name);
    else
        code = carry_out(registry, segment, request);
    keeper_leave(segment);
    return code;
}

int offline_exchange(cb_registry *registry, const Cb__Request *request)
{
    struct membership *shared = atomic_load(&registry->shared);
    if (request->kind_case >= sizeof kinds / sizeof *kinds || !kinds[request->kind_case])
        return fail(CB_EUNREACHABLE, "registry '%s' is used offline: its daemon is not asked", registry->name);
    return carry_out_as_keeper(registry, &shared->segment, request);
}
