/* A state file that cannot be written shows in /healthz as long as it lasts. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cbclient.h"
#include "tests/process/web.h"

static void wait_for_health(unsigned port, int status, const char *part)
{
    time_t deadline = time(NULL) + HARNESS_DEADLINE_MS / 1000;
    for (bool reached = false; !reached; poll(NULL, 0, 5)) {
        struct web web;
        web_get(&web, port, "/healthz");
        reached = web.status == status && strstr(web.body, part);
        cr_assert(reached || time(NULL) <= deadline, "%d: %s", web.status, web.body);
        web_free(&web);
    }
}

Test(http_state, is_no_good_health_while_it_cannot_be_written)
{
    struct daemon daemon;
    cb_registry *registry;
    cb_breaker *breaker;
    char path[160], obstacle[170];
    daemon_start(&daemon, "--capacity", "4", "--http", "0", NULL);
    daemon_term(&daemon);
    snprintf(path, sizeof path, "%s/state", daemon.dir);
    snprintf(obstacle, sizeof obstacle, "%s.new", path);
    daemon.extra[4] = strdup("--state");
    daemon.extra[5] = strdup(path);
    daemon.extra[6] = NULL;
    cr_assert_eq(mkdir(obstacle, 0700), 0);
    daemon_restart(&daemon);
    unsigned port = web_port(&daemon);
    wait_for_health(port, 503, "the state file cannot be written");
    cr_assert_eq(rmdir(obstacle), 0);
    wait_for_health(port, 200, "\"healthy\"");
    cr_assert_eq(cb_attach(daemon.registry, &registry), 0);
    cr_expect_eq(cb_get_or_create(registry, "a", "", &breaker), 0);
    wait_for_health(port, 200, "\"healthy\"");
    cb_detach(&registry);
    daemon_stop(&daemon);
}
