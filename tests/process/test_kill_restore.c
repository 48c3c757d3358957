/*
 * A daemon killed while it starts with a state file and makes the memory anew, at every system call around that: its
 * successor has all that the file had, and at no moment is there memory that lacks it.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cbclient.h"
#include "tests/harness.h"
#include "tests/process/step.h"

#define BEFORE    40 /* system calls' stops before the memory has its name, and after it */
#define AFTER     40
#define STOPS_MAX 20000

static struct daemon host;
static char path[160];

static void lose_memory(void)
{
    struct output purge;
    run(&purge, REGISTRYD_PATH, "--registry", host.registry, "--runtime-dir", host.dir, "--purge", (char *)NULL);
    cr_assert(purge.status == 0 && !registry_exists(host.registry), "%s", purge.err);
    output_free(&purge);
}

/* Forced open "a", open "b", closed "c". */
static void expect_all(unsigned stop)
{
    cb_registry *registry;
    cb_breaker *a, *b, *c;
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "stop %u: %s", stop, cb_last_error());
    cr_assert(cb_get(registry, "a", &a) == 0 && cb_state_of(a) == CB_FORCED_OPEN, "stop %u: the override", stop);
    cr_assert(cb_get(registry, "b", &b) == 0 && cb_state_of(b) == CB_OPEN, "stop %u: the open breaker", stop);
    cr_assert(cb_get(registry, "c", &c) == 0 && cb_state_of(c) == CB_CLOSED, "stop %u: the closed breaker", stop);
    cb_detach(&registry);
}

static void start(void)
{
    cb_registry *registry;
    cb_breaker *a, *b, *c;
    daemon_start(&host, "--capacity", "4", NULL);
    daemon_term(&host);
    snprintf(path, sizeof path, "%s/state", host.dir);
    host.extra[2] = strdup("--state");
    host.extra[3] = strdup(path);
    host.extra[4] = NULL;
    daemon_restart(&host);
    cr_assert_eq(cb_attach(host.registry, &registry), 0);
    cr_assert(cb_get_or_create(registry, "a", "", &a) == 0 && cb_override(a, CB_FORCED_OPEN, 0, "by hand") == 0);
    cr_assert(cb_get_or_create(registry, "b", "open_timeout=1h", &b) == 0 && cb_trip(b, "by hand") == 0);
    cr_assert(cb_get_or_create(registry, "c", "jitter=3", &c) == 0);
    cb_detach(&registry);
    daemon_term(&host);
}

static void stop(void)
{
    daemon_stop(&host);
}

TestSuite(kill_restore, .init = start, .fini = stop);

static void become_daemon(void)
{
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    execl(REGISTRYD_PATH, REGISTRYD_PATH, "--registry", host.registry, "--runtime-dir", host.dir, "--capacity", "4",
          "--state", path, (char *)NULL);
    _exit(127);
}

/* Its panel makes a registry; the other object is there a moment earlier. */
static bool has_memory(void)
{
    char panel[128];
    snprintf(panel, sizeof panel, "/dev/shm/registryd.%.63s.panel", host.registry);
    return access(panel, F_OK) == 0;
}

/* So many stops on the way; whether the memory is there then. */
static bool daemon_dies_at(unsigned stops)
{
    struct stepper daemon;
    stepper_start(&daemon, NULL, become_daemon);
    for (unsigned i = 0; i < stops; i++)
        cr_assert(stepper_to_system_call(&daemon));
    stepper_kill(&daemon);
    return has_memory();
}

/* After how many stops the memory has its name. */
static unsigned stops_to_memory(void)
{
    struct stepper daemon;
    unsigned stops = 0;
    stepper_start(&daemon, NULL, become_daemon);
    for (; !has_memory(); stops++)
        cr_assert(stops < STOPS_MAX && stepper_to_system_call(&daemon));
    stepper_kill(&daemon);
    return stops;
}

Test(kill_restore, loses_nothing)
{
    unsigned found = 0;
    lose_memory();
    unsigned named = stops_to_memory();
    cr_assert_gt(named, BEFORE);
    for (unsigned stops = named - BEFORE; stops < named + AFTER; stops++) {
        lose_memory();
        if (daemon_dies_at(stops)) {
            expect_all(stops);
            found++;
        }
        daemon_restart(&host);
        expect_all(stops);
        daemon_kill(&host);
    }
    cr_expect(found > 0 && found < BEFORE + AFTER, "memory was there after %u of the stops", found);
}
