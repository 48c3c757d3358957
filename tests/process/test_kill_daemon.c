/*
 * The daemon killed where it enters or leaves any system call while it carries out an order: what it wrote is the old or
 * the new, whole; what it had acknowledged stays; its successor takes over, and the order can be given again. What lies
 * between two system calls, test_kill_each_write goes through by instructions.
 */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cbclient.h"
#include "tests/harness.h"
#include "tests/process/step.h"

#define OLD "failure_threshold=1000000"
#define NEW "failure_threshold=7 max_concurrent=4"

struct order {
    bool needs_breaker; /* it exists before, with the policy OLD */
    int (*give)(cb_registry *, const char *name);
    bool (*obeyed)(const struct cb_health *); /* NULL: it is not there */
};

static struct daemon host;
static cb_registry *registry;
static const struct order *order;
static char name[32];
static _Atomic int *acknowledged; /* shared with the client */

static void start(void)
{
    daemon_start(&host, NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    acknowledged = mmap(NULL, sizeof *acknowledged, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(acknowledged, MAP_FAILED);
}

static void stop(void)
{
    munmap(acknowledged, sizeof *acknowledged);
    cb_detach(&registry);
    daemon_stop(&host);
}

TestSuite(kill_daemon, .init = start, .fini = stop);

/* ---- the client ---- */

/* Gives the order once, then asks for life signs until there are none, so that the daemon always has something to do. */
static void client(void *arg)
{
    (void)arg;
    if (order->give(registry, name) == 0)
        atomic_store(acknowledged, 1);
    while (cb_ping(registry, NULL, NULL) == 0)
        continue;
}

/* Let the daemon go through so many stops while it has the order, then kill it. */
static void daemon_dies_at(unsigned stops)
{
    struct stepper daemon;
    atomic_store(acknowledged, 0);
    stepper_seize(&daemon, host.pid);
    pid_t child = fork_child(client, NULL);
    for (unsigned i = 0; i < stops; i++)
        stepper_to_system_call(&daemon);
    stepper_kill(&daemon);
    host.pid = 0;
    cr_assert_eq(child_wait(child), 0);
}

/* ---- what must hold ---- */

static bool look(struct cb_health *health)
{
    cb_breaker *breaker;
    if (cb_get(registry, name, &breaker) == CB_ENOTFOUND)
        return false;
    cr_assert_eq(cb_health_of(breaker, health, sizeof *health), 0, "%s", cb_last_error());
    return true;
}

static bool is_obeyed(void)
{
    struct cb_health health;
    return look(&health) ? order->obeyed && order->obeyed(&health) : !order->obeyed;
}

static bool is_old(void)
{
    struct cb_health health;
    if (!look(&health))
        return !order->needs_breaker;
    return order->needs_breaker && health.counts.state == CB_CLOSED && strcmp(health.policy, OLD) == 0;
}

static void check(unsigned stops)
{
    bool acted = is_obeyed();
    cr_assert(acted || is_old(), "stop %u: neither the old nor the new", stops);
    cr_assert(acted || !atomic_load(acknowledged), "stop %u: what was acknowledged is lost", stops);
    daemon_restart(&host);
    cr_assert(is_obeyed() || !acted, "stop %u: the successor has undone it", stops);
    cr_assert(is_obeyed() || is_old(), "stop %u: neither the old nor the new, behind the successor", stops);
    int again = order->give(registry, name);
    cr_assert(again == 0 || (again == CB_ENOTFOUND && acted), "stop %u: %s", stops, cb_last_error());
    cr_assert(is_obeyed(), "stop %u: it cannot be done again", stops);
}

static void perform(const struct order *given)
{
    unsigned stops = 0;
    order = given;
    do {
        cb_breaker *breaker;
        snprintf(name, sizeof name, "dependency-%u", stops);
        if (order->needs_breaker)
            cr_assert_eq(cb_get_or_create(registry, name, OLD, &breaker), 0, "%s", cb_last_error());
        daemon_dies_at(stops);
        check(stops++);
    } while (!atomic_load(acknowledged));
    cr_log_info("killed at %u stops", stops);
}

/* ---- the orders ---- */

static cb_breaker *breaker_of(cb_registry *of, const char *called)
{
    cb_breaker *breaker = NULL;
    cb_get(of, called, &breaker);
    return breaker;
}

static int creates(cb_registry *of, const char *called)
{
    cb_breaker *breaker;
    return cb_get_or_create(of, called, NEW, &breaker);
}

static int sets_policy(cb_registry *of, const char *called)
{
    return cb_set_policy(breaker_of(of, called), NEW);
}

static int forces_open(cb_registry *of, const char *called)
{
    return cb_override(breaker_of(of, called), CB_FORCED_OPEN, 0, "ticket 4711");
}

static int trips(cb_registry *of, const char *called)
{
    return cb_trip(breaker_of(of, called), "by hand");
}

static int removes(cb_registry *of, const char *called)
{
    cb_breaker *breaker = breaker_of(of, called);
    return breaker ? cb_remove(breaker, NULL) : CB_ENOTFOUND;
}

static bool has_new_policy(const struct cb_health *health)
{
    return health->counts.state == CB_CLOSED && strcmp(health->policy, NEW) == 0;
}

static bool is_forced_open(const struct cb_health *health)
{
    return health->counts.state == CB_FORCED_OPEN && strcmp(health->override_reason, "ticket 4711") == 0 &&
           strcmp(health->policy, OLD) == 0;
}

static bool is_open(const struct cb_health *health)
{
    return health->counts.state == CB_OPEN && strcmp(health->policy, OLD) == 0;
}

Test(kill_daemon, while_it_creates)
{
    perform(&(struct order){false, creates, has_new_policy});
}

Test(kill_daemon, while_it_sets_a_policy)
{
    perform(&(struct order){true, sets_policy, has_new_policy});
}

Test(kill_daemon, while_it_overrides)
{
    perform(&(struct order){true, forces_open, is_forced_open});
}

Test(kill_daemon, while_it_trips)
{
    perform(&(struct order){true, trips, is_open});
}

Test(kill_daemon, while_it_removes)
{
    perform(&(struct order){true, removes, NULL});
}
