/*
 * The demo: one outage, two crews of eight workers. The first crew shares one breaker through registryd, in the second
 * every worker keeps a breaker of its own. The library, the policy, the service and its outage are the same.
 */
#include <cbclient.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"
#include "crew.h"
#include "daemon.h"
#include "report.h"
#include "timeline.h"

#define PATIENCE_US 15000000 /* no step of the story takes longer */

struct demo {
    struct daemon daemon;
    struct upstream upstream;
    struct crew crews[CREWS];
    struct timeline timeline;
    struct outage outage;
    cb_registry *registry;
    cb_breaker *breaker;
    int events[2];
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    interrupted = signal;
}

static void signals_catch(void)
{
    struct sigaction catch = {.sa_handler = interrupt};
    sigaction(SIGINT, &catch, NULL);
    sigaction(SIGTERM, &catch, NULL);
    sigaction(SIGHUP, &catch, NULL);
    signal(SIGPIPE, SIG_IGN); /* `demo | head` must tidy up, too */
}

/* Take in what the workers tell, for at most 10 ms. */
static void events_take(struct demo *demo)
{
    struct pollfd fd = {.fd = demo->events[0], .events = POLLIN};
    struct event event;
    int timeout = 10;
    while (!interrupted && poll(&fd, 1, timeout) > 0) {
        if (read(fd.fd, &event, sizeof event) != sizeof event || event.crew >= CREWS || event.worker >= WORKERS)
            break;
        unsigned moments = crew_event(&demo->crews[event.crew], &event);
        timeline_add(&demo->timeline, event.crew, moments, event.at_us);
        timeout = 0;
    }
    timeline_flush(&demo->timeline, demo->crews);
}

/* Follow the workers until `what` has come. -EINTR, or -ETIME with a word on what did not come. */
static int story_until(struct demo *demo, bool (*come)(struct demo *), const char *what)
{
    uint64_t limit = now_us() + PATIENCE_US;
    while (!come(demo)) {
        if (interrupted || ferror(stdout))
            return -EINTR;
        if (now_us() > limit) {
            fprintf(stderr, "demo: waited in vain for: %s\n", what);
            return -ETIME;
        }
        events_take(demo);
    }
    return 0;
}

static bool all_ready(struct demo *demo)
{
    return demo->crews[CREW_SHARED].ready == WORKERS && demo->crews[CREW_PRIVATE].ready == WORKERS;
}

static bool all_served(struct demo *demo)
{
    return crew_served(&demo->crews[CREW_SHARED], 8) && crew_served(&demo->crews[CREW_PRIVATE], 8);
}

static bool all_hang(struct demo *demo)
{
    struct cb_snapshot counts;
    cb_snapshot_of(demo->breaker, &counts, sizeof counts);
    return counts.in_flight == WORKERS && now_us() - demo->outage.hung_us > CALL_TIMEOUT_MS * 1000 / 2;
}

static bool killed_counted(struct demo *demo)
{
    struct cb_snapshot counts;
    cb_snapshot_of(demo->breaker, &counts, sizeof counts);
    return counts.abandoned > 0;
}

static bool shared_told(struct demo *demo)
{
    return demo->crews[CREW_SHARED].told == demo->crews[CREW_SHARED].live && timeline_quiet(&demo->timeline);
}

static bool outage_over(struct demo *demo)
{
    return now_us() - demo->outage.hung_us >= OUTAGE_MS * 1000;
}

static bool all_back(struct demo *demo)
{
    return demo->crews[CREW_SHARED].back == demo->crews[CREW_SHARED].live &&
           demo->crews[CREW_PRIVATE].back == demo->crews[CREW_PRIVATE].live && timeline_quiet(&demo->timeline);
}

static void title_print(const struct timeline *timeline)
{
    printf("\n%s  registryd: one circuit breaker for all processes of a host%s\n\n",
           timeline_shade(timeline, SHADE_BOLD), timeline_shade(timeline, SHADE_PLAIN));
    printf("  An HTTP service, called by 2 x %d worker processes every %d ms, each with a time-out of %d s.\n", WORKERS,
           PACE_MS, CALL_TIMEOUT_MS / 1000);
    printf("  It will hang for %d s: connections are accepted, requests are never answered.\n", OUTAGE_MS / 1000);
    printf("  Breakers of both crews: %s\n\n", POLICY);
}

/* Everything runs: the daemon, the service, and two crews of which one finds no registry. */
static int cast_start(struct demo *demo)
{
    char nowhere[80];
    if (pipe2(demo->events, O_CLOEXEC) < 0)
        return -errno;
    int error = daemon_start(&demo->daemon, "demo", 64);
    if (error == 0)
        error = upstream_start(&demo->upstream);
    if (error == 0)
        error = cb_attach(demo->daemon.registry, &demo->registry);
    if (error == 0)
        error = cb_get_or_create(demo->registry, BREAKER, POLICY, &demo->breaker);
    if (error)
        return error;
    setenv("CB_REGISTRY", demo->daemon.registry, 1); /* for cbctl */
    snprintf(nowhere, sizeof nowhere, "%s-none", demo->daemon.registry);
    error = crew_start(&demo->crews[CREW_SHARED], CREW_SHARED, demo->daemon.registry, &demo->upstream, demo->events[1]);
    if (error == 0)
        error = crew_start(&demo->crews[CREW_PRIVATE], CREW_PRIVATE, nowhere, &demo->upstream, demo->events[1]);
    return error ? error : story_until(demo, all_ready, "the workers to be ready");
}

static int act_healthy(struct demo *demo)
{
    timeline_begin(&demo->timeline, "8 WORKERS, ONE SHARED BREAKER", "8 WORKERS, A BREAKER EACH");
    int error = story_until(demo, all_served, "healthy traffic");
    if (error == 0)
        timeline_pair(&demo->timeline, "healthy: all calls answered", "healthy: all calls answered");
    return error;
}

static int act_hang(struct demo *demo)
{
    int error = upstream_tell(&demo->upstream, "hang");
    demo->outage.hung_us = now_us();
    timeline_note(&demo->timeline, "the service hangs");
    return error ? error : story_until(demo, all_hang, "all workers to hang");
}

/* A worker dies with its call under way: the daemon hears of it from the kernel. */
static int act_kill(struct demo *demo)
{
    uint64_t killed_us = now_us();
    timeline_note(&demo->timeline, "kill -9 of one worker in each crew, in the middle of its call");
    crew_kill_one(&demo->crews[CREW_SHARED]);
    crew_kill_one(&demo->crews[CREW_PRIVATE]);
    int error = story_until(demo, killed_counted, "the killed worker's call to be counted");
    demo->outage.counted_us = now_us() - killed_us;
    if (error == 0)
        timeline_pair(&demo->timeline, "its call is counted as a failure", "its breaker died with it: nobody knows");
    return error;
}

static int list_show(void)
{
    int status = cbctl_show("list");
    if (status != 0)
        fprintf(stderr, "demo: cbctl list: exit code %d\n", status);
    return status == 0 ? 0 : -EIO;
}

static int act_outage(struct demo *demo)
{
    int error = story_until(demo, shared_told, "all sharing workers to fail fast");
    if (error == 0)
        error = list_show();
    return error ? error : story_until(demo, outage_over, "the end of the outage");
}

static int act_recovery(struct demo *demo)
{
    int error = upstream_tell(&demo->upstream, "ok");
    demo->outage.recovered_us = now_us();
    timeline_note(&demo->timeline, "the service answers again");
    if (error == 0)
        error = story_until(demo, all_back, "all workers to be served again");
    if (error == 0)
        error = list_show();
    if (error == 0)
        report_print(&demo->timeline, demo->crews, &demo->outage);
    return error;
}

static int story_tell(struct demo *demo)
{
    int (*const acts[])(struct demo *) = {cast_start, act_healthy, act_hang, act_kill, act_outage, act_recovery};
    int error = 0;
    for (size_t i = 0; i < sizeof acts / sizeof *acts && error == 0; i++)
        error = acts[i](demo);
    return error;
}

static void cast_stop(struct demo *demo)
{
    for (unsigned i = 0; i < CREWS; i++)
        crew_stop(&demo->crews[i]);
    upstream_stop(&demo->upstream);
    cb_detach(&demo->registry);
    daemon_stop(&demo->daemon);
}

int main(void)
{
    static struct demo demo;
    signals_catch();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    timeline_init(&demo.timeline);
    title_print(&demo.timeline);
    fflush(stdout);
    int error = story_tell(&demo);
    cast_stop(&demo);
    curl_global_cleanup();
    if (interrupted || error == -EINTR) {
        fprintf(stderr, "\ndemo: interrupted; everything it started has ended\n");
        return 128 + (interrupted ? interrupted : SIGPIPE);
    }
    if (error)
        fprintf(stderr, "demo: %s\n", cb_strerror(error));
    return error ? 1 : 0;
}
