/*
 * Anything may stand in `live`: whatever a wild worker writes there, nobody crashes, reads out of bounds (the sanitizers
 * look), loops for long, or finds another name, policy or override than before; and once the inspector has been through
 * it, everything works as ever.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/check.h"
#include "core/clock.h"
#include "libcbclient/client.h"
#include "random_word.h"

#define ROUNDS   320
#define BREAKERS 6
#define CALLS    200
#define BOUND_MS 5000 /* a round takes some milliseconds; sanitizers and busy machines more */
#define TRIES    50

static cb_registry *registry;
static cb_breaker *breakers[BREAKERS];
static struct segment *segment;
static char *panel_before;

static const char *const policies[BREAKERS] = {
    "failure_threshold=3 open_timeout=1s",
    "window=count:100 failure_rate_threshold=50 success_threshold=3 half_open_max_calls=2",
    "window=time:10s failure_rate_threshold=50 slow_call_duration=1ms slow_call_rate_threshold=50 timing=precise",
    "max_concurrent=20 call_timeout=5s",
    "half_open_success_rate=50 half_open_minimum_probes=4 backoff_multiplier=2 jitter=50",
    "",
};
#define FORCED (BREAKERS - 1) /* forced open by an operator */

static void begin(void)
{
    cr_assert_eq(cb_virtual_open(&registry), 0);
    for (int i = 0; i < BREAKERS; i++) {
        char name[] = {'b', (char)('0' + i), '\0'};
        cr_assert_eq(cb_get_or_create(registry, name, policies[i], &breakers[i]), 0, "%s", cb_last_error());
    }
    cr_assert_eq(cb_override(breakers[FORCED], CB_FORCED_OPEN, 0, "ticket 4711"), 0);
    segment = &registry->own->segment;
    panel_before = malloc(segment->panel_size);
    memcpy(panel_before, segment->panel, segment->panel_size);
}

static void end(void)
{
    free(panel_before);
    cb_detach(&registry);
}

TestSuite(scribble, .init = begin, .fini = end, .timeout = 110);

static uint64_t now_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

/* ---- wild writes ---- */

typedef uint64_t __attribute__((may_alias)) word;

static void scribble(void *from, const void *to, unsigned style)
{
    for (word *at = from; at < (word *)to; at++) {
        uint64_t random = random_word();
        uint64_t value = style == 0   ? random
                         : style == 1 ? 0
                         : style == 2 ? UINT64_MAX
                                      : *at ^ UINT64_C(1) << (random & 63);
        if (style < 3 || random >> 56 == 0)
            __atomic_store_n(at, value, __ATOMIC_RELAXED);
    }
}

/* One part of `live`, or all of it; the slots as far as they are used. */
static void scribble_part(unsigned part, unsigned style)
{
    char *const parts[] = {(char *)segment->live,   (char *)segment->workers,
                           (char *)segment->owners, (char *)segment->chunks,
                           (char *)segment->places, (char *)segment->journal,
                           segment->slots,          segment->slots + BREAKERS * segment->slot_stride};
    if (part < 7)
        scribble(parts[part], parts[part + 1], style);
    else
        scribble(parts[0], parts[7], style);
}

/* ---- everything that reads and calls ---- */

static int see_health(const struct cb_health *health, void *arg)
{
    cr_assert_lt((unsigned)health->counts.state, 6);
    cr_assert_lt(strnlen(health->name, sizeof health->name), sizeof health->name);
    ++*(int *)arg;
    return 0;
}
static int see_worker(const struct cb_worker *worker, void *arg)
{
    cr_assert_lt(strnlen(worker->command, sizeof worker->command), sizeof worker->command);
    ++*(int *)arg;
    return 0;
}
static int see_event(const struct cb_event *event, void *arg)
{
    cr_assert_lt(strnlen(event->name, sizeof event->name), sizeof event->name);
    ++*(int *)arg;
    return 0;
}

static void look(void)
{
    struct cb_health health;
    struct cb_snapshot snapshot;
    int seen = 0, workers = 0, events = 0;
    for (int i = 0; i < BREAKERS; i++) {
        cr_assert_eq(cb_health_of(breakers[i], &health, sizeof health), 0);
        cr_assert_eq(cb_snapshot_of(breakers[i], &snapshot, sizeof snapshot), 0);
        cb_would_admit(breakers[i]);
        cb_retry_after_ms(breakers[i]);
        cr_assert_lt((unsigned)cb_state_of(breakers[i]), 6);
    }
    cr_assert_eq(cb_list(registry, see_health, &seen), 0);
    cr_assert_eq(seen, BREAKERS);
    cr_assert_eq(cb_list_workers(registry, see_worker, &workers), 0);
    cr_assert_leq(workers, (int)segment->worker_count);
    cr_assert_eq(cb_history(registry, NULL, see_event, &events), 0);
    cr_assert_leq(events, (int)segment->journal_length);
}

static void settle(cb_permit *permit, unsigned how)
{
    cb_settle(permit, (enum cb_outcome)(how % 4), how % 3 ? 1000 : 5000000);
}

static void call(void)
{
    static cb_permit kept[BREAKERS]; /* in flight while the next part is scribbled over */
    for (int i = 0; i < BREAKERS; i++) {
        if (kept[i].cb_private[0])
            settle(&kept[i], (unsigned)i);
        for (unsigned n = 0; n < CALLS; n++) {
            cb_permit permit;
            int answer = cb_acquire(breakers[i], &permit);
            cr_assert(answer >= CB_ADMITTED && answer <= CB_REJECTED_CONCURRENCY, "%d", answer);
            if (answer == CB_ADMITTED)
                settle(&permit, n);
        }
        if (cb_acquire(breakers[i], &kept[i]) != CB_ADMITTED)
            memset(&kept[i], 0, sizeof kept[i]);
    }
}

static void operate(unsigned round)
{
    cb_breaker *breaker = breakers[round % FORCED];
    cr_assert_eq(round % 2 ? cb_trip(breaker, NULL) : cb_reset(breaker, NULL), 0);
}

/* What the daemon does: settle, reap, lapse. The process's own worker number is kept out of it. */
static void reap(void)
{
    uint64_t *dead = calloc(segment->worker_count, sizeof *dead);
    uint32_t *settled = calloc(segment->worker_count, sizeof *settled);
    uint32_t self = lane_worker(registry->own->lane);
    call_tick(segment);
    call_lapse(segment);
    for (uint32_t i = 0; i < segment->worker_count; i++)
        dead[i] = i + 1 != self && segment->workers[i].process != 0;
    workers_reap(segment, dead, settled);
    free(dead);
    free(settled);
}

/* ---- afterwards ---- */

static uint32_t inspect_slot(uint32_t slot, uint64_t *open_until)
{
    struct gate_damage damage;
    unsigned mask = check_slot(segment, slot, open_until, &damage);
    if (mask & DAMAGE_STATE)
        check_gate_repair(segment, slot, damage);
    return mask != 0;
}

/* One look at everything; how much was found. */
static uint32_t inspect(void)
{
    static uint64_t open_until[BREAKERS];
    static uint32_t *owners;
    static uint64_t living[64];
    uint32_t found = check_header(segment), self = lane_worker(registry->own->lane);
    if (!owners)
        owners = calloc(segment->chunk_count, sizeof *owners);
    struct lane_memory memory = {owners, living};
    living[self - 1] = lane_identity(registry->own->lane);
    atomic_store(&segment->workers[self - 1].process, living[self - 1]);
    for (uint32_t slot = 0; slot < BREAKERS; slot++)
        found += inspect_slot(slot, &open_until[slot]);
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++)
        found += check_owner(segment, chunk, memory, true) + check_calls(segment, chunk, memory);
    for (uint32_t slot = 0; slot < BREAKERS; slot++)
        found += check_counts(segment, slot) != 0;
    return found;
}

static bool admits(cb_breaker *breaker)
{
    cb_permit permit;
    bool admitted = cb_acquire(breaker, &permit) == CB_ADMITTED;
    if (admitted)
        cb_success(&permit);
    return admitted;
}

static void works_again(unsigned round)
{
    for (int i = 0; i < FORCED; i++) {
        int tries = 0;
        while (tries < TRIES && !(admits(breakers[i]) && cb_state_of(breakers[i]) == CB_CLOSED)) {
            registry->virtual_ms += 60000;
            tries++;
        }
        cr_assert_lt(tries, TRIES, "round %u: breaker %d stays %s", round, i, cb_state_name(cb_state_of(breakers[i])));
    }
    cr_assert_eq(cb_state_of(breakers[FORCED]), CB_FORCED_OPEN);
    cr_assert_not(admits(breakers[FORCED]));
}

/* Calls that look real stay until their process ends; all places but theirs are there. */
static void limit_holds(unsigned round)
{
    cb_permit permits[21];
    int admitted = 0;
    while (admitted < 21 && cb_acquire(breakers[3], &permits[admitted]) == CB_ADMITTED)
        admitted++;
    cr_assert_leq(admitted, 20, "round %u", round);
    for (int i = 0; i < admitted; i++)
        cb_success(&permits[i]);
}

/* The breakers' names, policies and overrides: an operator's trip is no override, so nothing has changed at all. */
static void panel_is_untouched(void)
{
    size_t from = (size_t)((char *)segment->controls - (char *)segment->panel);
    for (uint32_t slot = 0; slot < BREAKERS; slot++) {
        struct control_copy now;
        const struct control *before = (const struct control *)(void *)(panel_before + from) + slot;
        cr_assert(panel_read(segment, slot, &now, NULL));
        const struct control_copy *then = &before->copy[before->commit & 1];
        cr_assert_str_eq(now.name, then->name);
        cr_assert_eq(memcmp(&now.policy, &then->policy, sizeof now.policy), 0);
        cr_assert_eq(now.override.state, then->override.state);
        cr_assert_str_eq(now.override.reason, then->override.reason);
    }
}

static void use_everything(unsigned round)
{
    look();
    call();
    operate(round);
    reap();
    look();
}

Test(scribble, every_part_in_every_way)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t began = now_ms();
        scribble_part(round % 8, round / 8 % 4);
        use_everything(round);
        scribble_part(round % 8, round / 8 % 4);
        inspect();
        cr_assert_eq(inspect(), 0, "round %u", round);
        works_again(round);
        limit_holds(round);
        panel_is_untouched();
        cr_assert_leq(now_ms() - began, BOUND_MS, "round %u", round);
    }
}

static _Atomic int stop;

static void *scribble_on(void *arg)
{
    while (!stop)
        scribble_part(7, 0);
    return arg;
}

Test(scribble, while_everything_is_used)
{
    pthread_t thread;
    pthread_create(&thread, NULL, scribble_on, NULL);
    for (unsigned round = 0; round < 20; round++) {
        uint64_t began = now_ms();
        use_everything(round);
        inspect();
        cr_assert_leq(now_ms() - began, BOUND_MS, "round %u", round);
    }
    stop = 1;
    pthread_join(thread, NULL);
    inspect();
    cr_assert_eq(inspect(), 0);
    works_again(0);
    panel_is_untouched();
}
