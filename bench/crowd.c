/* A thousand workers: what they cost the daemon while they do nothing, and what it does when all die at once. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"

#define MEMBERS        1000
#define CROWD_BREAKERS 1000
#define IDLE_MS        2000
#define PATIENCE       30000 /* milliseconds for anything that should take one or two seconds */

/* A registry of its own, of the usual capacity. The members come and go, the registry stays until crowd_end(). */
static struct crowd {
    struct daemon daemon;
    cb_registry *registry;
    cb_breaker *breaker;
    int orders[2]; /* a byte a member: make a call */
    struct muster *muster;
    pid_t leader; /* the members' process group; 0: there are none */
    pid_t members[MEMBERS];
} crowd;

/* Shared with the members. */
struct muster {
    atomic_uint there, calling;
};

static void sleep_ms(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static bool all_have(const atomic_uint *count)
{
    unsigned waited = 0;
    while (atomic_load(count) < MEMBERS && waited++ < PATIENCE && !interrupted)
        sleep_ms(1);
    return atomic_load(count) == MEMBERS;
}

/* ---- the members ---- */

_Noreturn static void member_run(bool attached)
{
    cb_registry *registry;
    cb_breaker *breaker;
    cb_permit permit;
    char order;
    setpgid(0, crowd.leader);
    place_anywhere();
    if (attached && (cb_attach(crowd.daemon.registry, &registry) != 0 || cb_get(registry, "crowd/0", &breaker) != 0))
        _exit(1);
    atomic_fetch_add(&crowd.muster->there, 1);
    if (attached && read(crowd.orders[0], &order, 1) == 1 && cb_acquire(breaker, &permit) == CB_ADMITTED)
        atomic_fetch_add(&crowd.muster->calling, 1);
    for (;;)
        pause();
}

static void members_bury(void)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        child_end(&crowd.members[i], SIGKILL);
    crowd.leader = 0;
}

static bool members_start(bool attached)
{
    *crowd.muster = (struct muster){0};
    for (unsigned i = 0; i < MEMBERS && !interrupted; i++) {
        crowd.members[i] = child_fork(SIGKILL);
        if (crowd.members[i] < 0)
            break;
        if (crowd.members[i] == 0)
            member_run(attached);
        if (i == 0)
            crowd.leader = crowd.members[0];
    }
    if (all_have(&crowd.muster->there))
        return true;
    members_bury();
    return false;
}

/* ---- the registry ---- */

static int breakers_create(void)
{
    char name[24];
    int error = 0;
    for (unsigned i = CROWD_BREAKERS; i-- > 0 && error == 0;) {
        snprintf(name, sizeof name, "crowd/%u", i);
        error = cb_get_or_create(crowd.registry, name, NULL, &crowd.breaker);
    }
    return error; /* the last one was crowd/0 */
}

static bool registry_start(void)
{
    if (crowd.breaker)
        return true;
    place_anywhere(); /* the daemon inherits it */
    crowd.muster = place_shared(sizeof *crowd.muster);
    bool good = crowd.muster && pipe(crowd.orders) == 0 && daemon_start(&crowd.daemon, "bench-crowd", 1024) == 0 &&
                cb_attach(crowd.daemon.registry, &crowd.registry) == 0 && breakers_create() == 0;
    place_at(0);
    return good;
}

/* Members that are attached and do nothing. */
static bool crowd_idle(void)
{
    return registry_start() && (crowd.leader != 0 || members_start(true));
}

void crowd_end(void)
{
    members_bury();
    cb_detach(&crowd.registry);
    daemon_stop(&crowd.daemon);
}

/* ---- what is measured ---- */

static uint64_t daemon_cpu_ns(void)
{
    clockid_t clock;
    struct timespec used = {0};
    if (clock_getcpuclockid(crowd.daemon.pid, &clock) == 0)
        clock_gettime(clock, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

double measure_idle_cpu(struct bench *bench, unsigned argument)
{
    (void)bench;
    (void)argument;
    if (!crowd_idle())
        return -1;
    sleep_ms(100); /* what attaching left to do is done */
    uint64_t began = now_ns(), used = daemon_cpu_ns();
    sleep_ms(IDLE_MS);
    return (double)(daemon_cpu_ns() - used) * 100 / (double)(now_ns() - began);
}

/* Kilobytes of a line of smaps ("Rss:   12 kB"); a line that heads a mapping says whether it is the registry's, which keeps
 * the name "#NUMBER (deleted)" for whoever made it. */
static unsigned long smaps_line(const char *line, bool *shared)
{
    unsigned long kilobytes = 0;
    if (memchr(line, '-', strcspn(line, " :")))
        *shared = strstr(line, "/dev/shm/") != NULL;
    else if (!*shared)
        sscanf(line, "Rss: %lu", &kilobytes);
    return kilobytes;
}

double measure_idle_memory(struct bench *bench, unsigned argument)
{
    char line[512];
    bool shared = false;
    double kilobytes = 0;
    (void)bench;
    (void)argument;
    if (!crowd_idle())
        return -1;
    snprintf(line, sizeof line, "/proc/%d/smaps", (int)crowd.daemon.pid);
    FILE *file = fopen(line, "re");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        kilobytes += (double)smaps_line(line, &shared);
    fclose(file);
    return kilobytes * 1024;
}

double measure_deaths_kernel(struct bench *bench, unsigned argument)
{
    (void)bench;
    (void)argument;
    if (!registry_start())
        return -1;
    members_bury();
    if (!members_start(false))
        return -1;
    uint64_t began = now_ns();
    kill(-crowd.leader, SIGKILL);
    members_bury();
    return (double)(now_ns() - began);
}

static uint64_t abandoned(void)
{
    struct cb_snapshot counts;
    cb_snapshot_of(crowd.breaker, &counts, sizeof counts);
    return counts.abandoned;
}

static bool all_call(void)
{
    char orders[MEMBERS] = {0};
    return crowd_idle() && cb_reset(crowd.breaker, NULL) == 0 &&
           write(crowd.orders[1], orders, sizeof orders) == sizeof orders && all_have(&crowd.muster->calling);
}

double measure_deaths(struct bench *bench, unsigned argument)
{
    (void)bench;
    (void)argument;
    if (!all_call())
        return -1;
    uint64_t before = abandoned(), began = now_ns();
    kill(-crowd.leader, SIGKILL);
    while (abandoned() < before + MEMBERS && now_ns() - began < PATIENCE * UINT64_C(1000000) && !interrupted)
        sleep_ms(1);
    double took = (double)(now_ns() - began);
    members_bury();
    return took;
}
