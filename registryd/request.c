#include "registryd/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/reason.h"
#include "registryd/control.h"
#include "registryd/listing.h"

struct request {
    struct service *service;
    struct registry *registry;
    struct actor actor;
    const Cb__Request *message;
    struct reply *reply;
};

/* ---- what can be wrong ---- */

static bool check_name(const struct request *request, const char *name)
{
    size_t length = strlen(name);
    if (breaker_name_valid(name, length))
        return true;
    char shown[NAME_SIZE];
    snprintf(shown, sizeof shown, "%s", name);
    for (char *c = shown; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    reply_fail(request->reply, REPLY_ENAME,
               "the name \"%s\"%s (%zu bytes) is not valid: 1 to %d bytes of A-Z a-z 0-9 . _ : / @ -", shown,
               length >= NAME_SIZE ? "..." : "", length, NAME_SIZE - 1);
    return false;
}

/* The slot of the breaker of that name, or -1 with the error in the reply. */
static int64_t find(const struct request *request, const char *name)
{
    if (!check_name(request, name))
        return -1;
    int64_t slot = panel_find(&request->registry->segment, name);
    if (slot < 0)
        reply_fail(request->reply, REPLY_ENOTFOUND, "there is no breaker %s", name);
    return slot;
}

static bool check_reason(const struct request *request, const char *reason)
{
    size_t length = strlen(reason), fault = reason_fault(reason);
    if (length < REASON_SIZE && fault == 0)
        return true;
    if (length >= REASON_SIZE)
        reply_fail(request->reply, REPLY_EREASON, "a reason has at most %d bytes; this one has %zu bytes",
                   REASON_SIZE - 1, length);
    else
        reply_fail(request->reply, REPLY_EREASON,
                   "a reason is UTF-8 without control characters; this one is not at byte %zu", fault);
    return false;
}

static bool parse_policy(const struct request *request, const char *text, struct policy *policy)
{
    char error[POLICY_ERROR_SIZE];
    if (policy_parse(text, policy, error) == 0)
        return true;
    reply_fail(request->reply, REPLY_EPOLICY, "%s", error);
    return false;
}

static void fail_change(const struct request *request, int result, const char *error)
{
    reply_fail(request->reply, result == -ENOSPC ? REPLY_EFULL : result, "%s", *error ? error : strerror(-result));
}

/* ---- a function a kind ---- */

static void attach(const struct request *request)
{
    Cb__Attached *attached = &request->reply->body.attached;
    uint32_t worker = request->message->attach->worker;
    if (worker >= request->registry->segment.worker_count) {
        reply_fail(request->reply, -EINVAL, "worker %u: this registry has the numbers 0 to %u", worker,
                   request->registry->segment.worker_count - 1);
        return;
    }
    *attached = (Cb__Attached)CB__ATTACHED__INIT;
    attached->watched = reaper_watch(request->service->reaper, worker);
    request->reply->message.kind_case = CB__REPLY__KIND_ATTACHED;
    request->reply->message.attached = attached;
}

static void create(const struct request *request)
{
    const Cb__Create *asked = request->message->create;
    Cb__Created *created = &request->reply->body.created;
    struct policy policy;
    struct policy_view view;
    char error[SEGMENT_ERROR_SIZE] = "";
    uint32_t slot;
    if (!check_name(request, asked->name) || !parse_policy(request, asked->policy, &policy))
        return;
    int result = control_create(request->registry, request->actor, asked->name, &policy, &slot, error);
    if (result < 0) {
        fail_change(request, result, error);
        return;
    }
    *created = (Cb__Created)CB__CREATED__INIT;
    created->slot = slot;
    created->existed = result == PANEL_FOUND;
    if (created->existed && panel_policy(&request->registry->segment, slot, &view)) {
        policy_format(&view.policy, request->reply->policy);
        created->policy = request->reply->policy;
    }
    request->reply->message.kind_case = CB__REPLY__KIND_CREATED;
    request->reply->message.created = created;
}

static void list(const struct request *request)
{
    const Cb__List *asked = request->message->list;
    if (*asked->after == '\0' || check_name(request, asked->after))
        listing_page(request->registry, asked->after, asked->limit, request->reply);
}

static void show(const struct request *request)
{
    int64_t slot = find(request, request->message->show->name);
    if (slot >= 0 && !listing_show(request->registry, (uint32_t)slot, request->reply))
        reply_fail(request->reply, REPLY_ENOTFOUND, "there is no breaker %s", request->message->show->name);
}

static void set_policy(const struct request *request)
{
    const Cb__SetPolicy *asked = request->message->set_policy;
    struct policy policy;
    char error[SEGMENT_ERROR_SIZE] = "";
    int64_t slot = find(request, asked->name);
    if (slot < 0 || !parse_policy(request, asked->policy, &policy))
        return;
    int result = control_set_policy(request->registry, request->actor, (uint32_t)slot, &policy, error);
    if (result < 0)
        fail_change(request, result, error);
}

typedef void control_function(struct registry *, struct actor, uint32_t slot, const char *reason);

static void control_one(const struct request *request, const Cb__Control *asked, control_function *control)
{
    int64_t slot = find(request, asked->name);
    if (slot >= 0 && check_reason(request, asked->reason))
        control(request->registry, request->actor, (uint32_t)slot, asked->reason);
}

static void trip(const struct request *request)
{
    control_one(request, request->message->trip, control_trip);
}

static void remove_breaker(const struct request *request)
{
    control_one(request, request->message->remove, control_remove);
}

static void reset(const struct request *request)
{
    const Cb__Control *asked = request->message->reset;
    if (*asked->name != '\0')
        control_one(request, asked, control_reset);
    else if (check_reason(request, asked->reason))
        control_reset_all(request->registry, request->actor, asked->reason);
}

static void override(const struct request *request)
{
    const Cb__Override *asked = request->message->override;
    int64_t slot = find(request, asked->name);
    if (slot < 0 || !check_reason(request, asked->reason))
        return;
    if (asked->state != STATE_CLOSED && (asked->state < STATE_FORCED_OPEN || asked->state > STATE_METRICS_ONLY))
        reply_fail(request->reply, -EINVAL, "%u is no override: 3 forced-open, 4 disabled, 5 metrics-only, 0 ends one",
                   asked->state);
    else if (asked->for_ms > POLICY_MAX_MS)
        reply_fail(request->reply, -EINVAL, "an override for %llu ms is too long: at most 7 days, or 0 for no end",
                   (unsigned long long)asked->for_ms);
    else
        control_override(request->registry, request->actor, (uint32_t)slot, (enum breaker_state)asked->state,
                         asked->for_ms, asked->reason);
}

static void ping(const struct request *request)
{
    Cb__Pong *pong = &request->reply->body.pong;
    static char version[] = CB_VERSION;
    *pong = (Cb__Pong)CB__PONG__INIT;
    pong->daemon_version = version;
    pong->pid = (uint32_t)getpid();
    pong->uptime_ms = segment_now_ms(&request->registry->segment) - request->service->started_ms;
    pong->breakers = registry_count(request->registry);
    pong->workers = reaper_count(request->service->reaper);
    request->reply->message.kind_case = CB__REPLY__KIND_PONG;
    request->reply->message.pong = pong;
}

static void calls(const struct request *request)
{
    struct sightings *sightings = request->service->sightings;
    uint32_t from = request->message->calls->from;
    if (from == 0) /* the first page */
        sightings_look(sightings);
    sightings_page(sightings, from, request->reply);
}

static void subscribe(const struct request *request)
{
    request->reply->subscribe = true;
}

static const struct kind {
    const char *name;
    enum rank rank; /* at least */
    void (*run)(const struct request *);
} kinds[] = {
    [CB__REQUEST__KIND_ATTACH] = {"attach", RANK_READER, attach},
    [CB__REQUEST__KIND_CREATE] = {"create", RANK_MEMBER, create},
    [CB__REQUEST__KIND_LIST] = {"list", RANK_READER, list},
    [CB__REQUEST__KIND_SHOW] = {"show", RANK_READER, show},
    [CB__REQUEST__KIND_SET_POLICY] = {"set policy", RANK_ADMINISTRATOR, set_policy},
    [CB__REQUEST__KIND_TRIP] = {"trip", RANK_ADMINISTRATOR, trip},
    [CB__REQUEST__KIND_RESET] = {"reset", RANK_ADMINISTRATOR, reset},
    [CB__REQUEST__KIND_OVERRIDE] = {"override", RANK_ADMINISTRATOR, override},
    [CB__REQUEST__KIND_REMOVE] = {"remove", RANK_ADMINISTRATOR, remove_breaker},
    [CB__REQUEST__KIND_PING] = {"ping", RANK_READER, ping},
    [CB__REQUEST__KIND_SUBSCRIBE] = {"subscribe", RANK_READER, subscribe},
    [CB__REQUEST__KIND_CALLS] = {"calls", RANK_READER, calls},
};

/* ---- one packet ---- */

static void fail_protocol(struct reply *reply, int code, const char *what)
{
    reply_fail(reply, code, "%s; the connection ends", what);
    reply->hang_up = true;
}

static void run(const struct request *request, const struct peer *peer)
{
    unsigned number = request->message->kind_case;
    const struct kind *kind = number < sizeof kinds / sizeof *kinds ? &kinds[number] : NULL;
    if (kind == NULL || kind->run == NULL) {
        fail_protocol(request->reply, REPLY_EPROTOCOL, "a request of an unknown kind");
        return;
    }
    if (peer->rank >= kind->rank) {
        kind->run(request);
        return;
    }
    char who[128];
    access_explain(request->service->access, kind->rank, who, sizeof who);
    reply_fail(request->reply, REPLY_EDENIED, "uid %u may not %s: %s", (unsigned)peer->uid, kind->name, who);
}

static bool speaks_our_version(const Cb__Request *message, bool first)
{
    return message->version == PROTOCOL_VERSION || (message->version == 0 && !first);
}

void request_answer(struct service *service, const struct peer *peer, bool first, const uint8_t *packet, size_t length,
                    struct reply *reply)
{
    char what[96];
    struct actor actor = {.pid = (uint32_t)peer->pid, .uid = (uint32_t)peer->uid};
    Cb__Request *message = cb__request__unpack(NULL, length, packet);
    struct request request = {service, service->registry, actor, message, reply};
    if (message == NULL) {
        fail_protocol(reply, REPLY_EPROTOCOL, "the request cannot be understood");
    } else if (!speaks_our_version(message, first)) {
        snprintf(what, sizeof what, "protocol version %u is incompatible with this daemon's, %d", message->version,
                 PROTOCOL_VERSION);
        fail_protocol(reply, REPLY_EVERSION, what);
    } else if (cb__request__get_packed_size(message) != length) {
        /* Texts end at a NUL for us: what stands behind it would go unseen. */
        fail_protocol(reply, REPLY_EPROTOCOL,
                      "the request is not in its shortest form, or a text in it has a NUL byte");
    } else {
        run(&request, peer);
    }
    if (message)
        cb__request__free_unpacked(message, NULL);
}
