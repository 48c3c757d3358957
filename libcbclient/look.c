/* Looking at breakers: only reads, and needs no daemon. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "core/clock.h"
#include "core/counters.h"

static struct cb_snapshot snapshot(const struct tally *tally, uint64_t in_flight)
{
    return (struct cb_snapshot){
        .state = tally->state,
        .successes = tally->successes,
        .failures = tally->failures,
        .slow = tally->slow,
        .ignored = tally->ignored,
        .rejected = tally->rejected_open + tally->rejected_probes + tally->rejected_concurrency,
        .abandoned = tally->abandoned,
        .overdue = tally->overdue,
        .transitions = tally->transitions,
        .in_flight = in_flight,
        .rejected_open = tally->rejected_open,
        .rejected_probes = tally->rejected_probes,
        .rejected_concurrency = tally->rejected_concurrency,
    };
}

/* The slot may be another breaker's by now. */
static int removed(const cb_breaker *breaker)
{
    return fail(CB_EREMOVED, "breaker '%s' was removed", breaker->name);
}

int cb_snapshot_of(const cb_breaker *breaker, struct cb_snapshot *out, size_t size)
{
    if (!breaker || !out || size == 0)
        return fail(-EINVAL, "cb_snapshot_of: a NULL argument or a size of 0");
    const struct binding *binding = breaker_binding(breaker);
    if (!binding_current(binding))
        return removed(breaker);
    const struct segment *segment = &binding->membership->segment;
    struct tally tally;
    tally_slot(segment, binding->slot, &tally);
    struct cb_snapshot full = snapshot(&tally, tally_in_flight_of(segment, binding->slot));
    memset(out, 0, size);
    memcpy(out, &full, size < sizeof full ? size : sizeof full);
    return 0;
}

/* ---- health ---- */

static void health_latency(struct cb_health *health, const struct tally *tally)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        health->latency_count += tally->latency[i];
    health->latency_p50_us = tally_latency_us(tally, 50);
    health->latency_p95_us = tally_latency_us(tally, 95);
    health->latency_p99_us = tally_latency_us(tally, 99);
}

static void health_override(struct cb_health *health, const struct override *override, uint64_t now_ms)
{
    if (health->counts.state < CB_FORCED_OPEN)
        return;
    health->override_left_ms = override->until_ms == 0       ? UINT64_MAX
                               : override->until_ms > now_ms ? override->until_ms - now_ms
                                                             : 0;
    memcpy(health->override_reason, override->reason, sizeof health->override_reason);
    health->override_reason[sizeof health->override_reason - 1] = '\0';
    health->override_uid = override->uid;
    health->override_pid = override->pid;
}

static bool health_fill(struct cb_health *health, const struct membership *membership, uint32_t slot,
                        uint64_t in_flight)
{
    const struct segment *segment = &membership->segment;
    struct control_copy block;
    struct tally tally;
    memset(health, 0, sizeof *health);
    if (!panel_read(segment, slot, &block, NULL))
        return false;
    tally_slot(segment, slot, &tally);
    memcpy(health->name, block.name, sizeof health->name);
    policy_format(&block.policy, health->policy);
    health->counts = snapshot(&tally, in_flight);
    health->retry_after_ms = tally.retry_after_ms;
    health->streak = tally.streak;
    health->window_calls = tally.window_calls;
    if (tally.window_calls) {
        health->failure_rate = 100.0 * (double)tally.window_failures / (double)tally.window_calls;
        health->slow_call_rate = 100.0 * (double)tally.window_slow / (double)tally.window_calls;
    }
    health->answer = (int32_t)call_query(segment, slot);
    health->shared = membership->shared;
    health_override(health, &block.override, segment_now_ms(segment));
    health_latency(health, &tally);
    return true;
}

int cb_health_of(const cb_breaker *breaker, struct cb_health *out, size_t size)
{
    if (!breaker || !out || size == 0)
        return fail(-EINVAL, "cb_health_of: a NULL argument or a size of 0");
    const struct binding *binding = breaker_binding(breaker);
    struct cb_health full;
    uint64_t in_flight = tally_in_flight_of(&binding->membership->segment, binding->slot);
    if (!binding_current(binding) || !health_fill(&full, binding->membership, binding->slot, in_flight))
        return removed(breaker);
    memset(out, 0, size);
    memcpy(out, &full, size < sizeof full ? size : sizeof full);
    return 0;
}

_Static_assert(CB_LATENCY_BUCKETS == LATENCY_BUCKETS, "the public histogram is the stripes'");

int cb_latency_of(const cb_breaker *breaker, struct cb_latency *out, size_t size)
{
    if (!breaker || !out || size == 0)
        return fail(-EINVAL, "cb_latency_of: a NULL argument or a size of 0");
    const struct binding *binding = breaker_binding(breaker);
    if (!binding_current(binding))
        return removed(breaker);
    struct tally tally;
    struct cb_latency full;
    tally_slot(&binding->membership->segment, binding->slot, &tally);
    memcpy(full.calls, tally.latency, sizeof full.calls);
    for (unsigned i = 0; i < CB_LATENCY_BUCKETS; i++)
        full.bound_ns[i] = latency_bound(i);
    memset(out, 0, size);
    memcpy(out, &full, size < sizeof full ? size : sizeof full);
    return 0;
}

/* ---- lists ---- */

static const struct membership *known(const cb_registry *registry)
{
    const struct membership *shared = atomic_load(&registry->shared);
    return shared ? shared : registry->own;
}

const struct membership *registry_looked_at(cb_registry *registry)
{
    registry_refresh(registry);
    return known(registry);
}

const struct membership *registry_glanced_at(cb_registry *registry)
{
    if (registry_trylock(registry)) {
        registry_join(registry);
        registry_unlock(registry);
    }
    return known(registry);
}

struct listed {
    char name[NAME_SIZE];
    uint32_t slot;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static size_t list_names(const struct segment *segment, struct listed *out)
{
    struct control_copy block;
    size_t count = 0;
    for (uint32_t slot = 0; slot < segment->capacity; slot++) {
        if (!(panel_commit(segment, slot) & TRAIT_USED) || !panel_read(segment, slot, &block, NULL))
            continue;
        memcpy(out[count].name, block.name, NAME_SIZE);
        out[count++].slot = slot;
    }
    qsort(out, count, sizeof *out, by_name);
    return count;
}

int cb_list(cb_registry *registry, cb_health_visit *visit, void *arg)
{
    if (!registry || !visit)
        return fail(-EINVAL, "cb_list: a NULL argument");
    const struct membership *membership = registry_looked_at(registry);
    if (!membership)
        return 0;
    const struct segment *segment = &membership->segment;
    struct listed *names = calloc(segment->capacity, sizeof *names);
    uint32_t *in_flight = calloc(segment->capacity, sizeof *in_flight);
    int code = names && in_flight ? 0 : fail(-ENOMEM, "no memory to list %u breakers", segment->capacity);
    if (code == 0) {
        tally_in_flight(segment, in_flight, NULL);
        size_t count = list_names(segment, names);
        struct cb_health health;
        for (size_t i = 0; i < count && code == 0; i++)
            if (health_fill(&health, membership, names[i].slot, in_flight[names[i].slot]))
                code = visit(&health, arg);
    }
    free(names);
    free(in_flight);
    return code;
}

uint64_t cb_damage_count(cb_registry *registry)
{
    const struct membership *membership = registry ? registry_looked_at(registry) : NULL;
    return membership ? atomic_load_explicit(&membership->segment.panel->damage_count, memory_order_relaxed) : 0;
}
