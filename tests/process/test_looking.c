/* What a handle sees that only looks, while breakers, daemons and registries come and go. */
#include <string.h>

#include "cbclient.h"
#include "tests/process/wire.h"

static cb_breaker *breaker_of(cb_registry *registry, const char *name)
{
    cb_breaker *breaker;
    cr_assert(cb_get_or_create(registry, name, NULL, &breaker) == 0, "%s: %s", name, cb_last_error());
    return breaker;
}

Test(looking, a_removed_breaker_is_not_taken_for_the_next_one_in_its_place)
{
    struct daemon daemon;
    cb_registry *registry, *other;
    struct cb_health health;
    struct cb_snapshot counts;
    cb_permit permit;
    daemon_start(&daemon, "--capacity", "1", (char *)NULL);
    cr_assert(cb_attach(daemon.registry, &registry) == 0 && cb_attach(daemon.registry, &other) == 0);
    cb_breaker *first = breaker_of(registry, "first");
    cr_assert(cb_remove(breaker_of(other, "first"), NULL) == 0);
    cb_breaker *second = breaker_of(other, "second"); /* there is one slot */
    cr_assert(cb_trip(second, NULL) == 0);

    cr_expect(cb_state_of(first) == CB_CLOSED);
    cr_expect(cb_would_admit(first) == CB_ADMITTED);
    cr_expect(cb_retry_after_ms(first) == 0);
    cr_expect(cb_snapshot_of(first, &counts, sizeof counts) == CB_EREMOVED);
    cr_expect(cb_health_of(first, &health, sizeof health) == CB_EREMOVED);
    cr_expect(strstr(cb_last_error(), "first"), "%s", cb_last_error());
    cr_expect(cb_acquire(first, &permit) == CB_ADMITTED && cb_success(&permit) == 0);
    cr_expect(cb_health_of(first, &health, sizeof health) == 0 && !strcmp(health.name, "first"));
    cr_expect(cb_state_of(second) == CB_OPEN);
    cb_detach(&other);
    cb_detach(&registry);
    daemon_stop(&daemon);
}

static int name_take(const struct cb_health *health, void *arg)
{
    strcat(strcat(arg, health->name), " ");
    return 0;
}

static void expect_names(cb_registry *registry, const char *names)
{
    char found[256] = "";
    cr_expect(cb_list(registry, name_take, found) == 0);
    cr_expect_str_eq(found, names);
}

/* A monitor makes no calls, and so nothing but its looking tells it that the registry is another one. */
Test(looking, a_monitor_follows_a_registry_that_is_replaced)
{
    struct daemon daemon;
    cb_registry *monitor, *worker;
    cb_breaker *breaker;
    daemon_start(&daemon, "--capacity", "8", (char *)NULL);
    cr_assert(cb_attach(daemon.registry, &monitor) == 0 && cb_attach(daemon.registry, &worker) == 0);
    breaker_of(worker, "old");
    expect_names(monitor, "old ");
    cr_assert(daemon_term(&daemon) == 0);
    daemon.extra[1][0] = '9';
    daemon_restart(&daemon);
    expect_names(monitor, "");
    cb_detach(&worker);
    cr_assert(cb_attach(daemon.registry, &worker) == 0);
    breaker_of(worker, "new");
    expect_names(monitor, "new ");
    cr_expect(cb_get(monitor, "new", &breaker) == 0, "%s", cb_last_error());
    cb_detach(&worker);
    cb_detach(&monitor);
    daemon_stop(&daemon);
}

Test(looking, a_handle_from_before_the_daemon_finds_it)
{
    struct daemon daemon;
    cb_registry *registry;
    cb_breaker *breaker;
    daemon_start(&daemon, (char *)NULL);
    daemon_term(&daemon);
    struct output purge;
    run(&purge, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", daemon.dir, "--purge", (char *)NULL);
    cr_assert(purge.status == 0);
    output_free(&purge);
    cr_assert(cb_attach(daemon.registry, &registry) == CB_ENODAEMON);
    cr_expect(cb_ping(registry, NULL, NULL) == CB_ENODAEMON);
    daemon_restart(&daemon);
    cr_expect(cb_ping(registry, NULL, NULL) == 0, "%s", cb_last_error());
    cr_expect(cb_is_shared(registry));
    cr_expect(cb_get_or_create(registry, "a", NULL, &breaker) == 0);
    expect_names(registry, "a ");
    cb_detach(&registry);
    daemon_stop(&daemon);
}
