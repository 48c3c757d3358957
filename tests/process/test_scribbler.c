/* A worker with a wild pointer writes all over `live` while everybody else uses it: nobody crashes or hangs, names,
 * policies and overrides stay, and the daemon repairs what it finds, says so, and goes on noticing deaths. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cbclient.h"
#include "tests/process/await.h"

#define WORKERS  3
#define BREAKERS 4
#define LOOKS    12
#define PASSES   40 /* over all of `live` */

static struct daemon host;
static cb_registry *registry;
static struct shared {
    _Atomic int stop, hang;
    _Atomic unsigned long rounds[WORKERS + 1];
} * shared;

static const struct {
    const char *name, *policy;
} made[BREAKERS] = {
    {"plain", "failure_threshold=3 open_timeout=50ms"},
    {"limited", "open_timeout=50ms half_open_timeout=100ms max_concurrent=2"},
    {"timed", "failure_rate_threshold=50 slow_call_duration=1s window=time:1s open_timeout=50ms call_timeout=2s"},
    {"forced", "open_timeout=50ms"},
};

static void begin(void)
{
    cb_breaker *breaker;
    daemon_start(&host, "--capacity", "64", NULL);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)shared, MAP_FAILED);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    for (int i = 0; i < BREAKERS; i++)
        cr_assert_eq(cb_get_or_create(registry, made[i].name, made[i].policy, &breaker), 0, "%s", cb_last_error());
    cr_assert_eq(cb_override(breaker, CB_FORCED_OPEN, 0, "ticket 4711"), 0, "%s", cb_last_error());
}

static void end(void)
{
    cb_detach(&registry);
    munmap(shared, sizeof *shared);
    daemon_stop(&host);
}

TestSuite(scribbler, .init = begin, .fini = end);

/* ---- the workers ---- */

static void worker_calls(void *arg)
{
    _Atomic unsigned long *rounds = arg;
    cb_registry *own;
    cb_breaker *breakers[BREAKERS];
    child_check(cb_attach(host.registry, &own) == 0);
    for (int i = 0; i < BREAKERS; i++)
        child_check(cb_get(own, made[i].name, &breakers[i]) == 0);
    while (!shared->stop) {
        cb_permit permit;
        cb_breaker *breaker = breakers[*rounds % BREAKERS];
        int answer = cb_acquire(breaker, &permit);
        child_check(answer >= CB_ADMITTED && answer <= CB_REJECTED_CONCURRENCY);
        if (answer == CB_ADMITTED)
            cb_success(&permit);
        ++*rounds;
    }
    cb_permit last;
    if (shared->hang && cb_acquire(breakers[0], &last) == CB_ADMITTED)
        raise(SIGKILL);
}

static int all_go_on(void)
{
    unsigned long before[WORKERS];
    memcpy(before, (void *)shared->rounds, sizeof before);
    for (int i = 0; i < WORKERS; i++)
        wait_until(shared->rounds[i] > before[i] + 100);
    return 1;
}

/* ---- the scribbler ---- */

static void scribbles(void *arg)
{
    char path[128];
    struct stat status;
    uint64_t seed = 88172645463325252u;
    (void)arg;
    snprintf(path, sizeof path, "/dev/shm/registryd.%s.live", host.registry);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    child_check(fd >= 0 && fstat(fd, &status) == 0);
    size_t words = (size_t)status.st_size / 8;
    uint64_t *live = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    child_check((void *)live != MAP_FAILED);
    for (int pass = 0; pass < PASSES; pass++)
        for (size_t i = 0; i < words; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            __atomic_store_n(&live[i], pass % 4 ? seed : pass % 8 ? UINT64_MAX : 0, __ATOMIC_RELAXED);
        }
}

/* The daemon has looked around since we came: so often it saw a call of ours hang. */
static void daemon_has_looked(void)
{
    cb_breaker *breaker;
    struct cb_snapshot counts;
    cr_assert_eq(cb_get_or_create(registry, "hanging", "failure_threshold=1000000 call_timeout=1ms", &breaker), 0);
    for (uint64_t i = 1; i <= LOOKS; i++) {
        cb_permit permit;
        cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
        wait_until(cb_snapshot_of(breaker, &counts, sizeof counts) == 0 && counts.overdue == i);
        cr_assert_eq(cb_success(&permit), CB_EOVERDUE);
    }
}

/* ---- what must hold ---- */

static int see_name(const struct cb_health *health, void *arg)
{
    for (int i = 0; i < BREAKERS; i++)
        if (strcmp(health->name, made[i].name) == 0) {
            cr_expect_str_eq(health->policy, made[i].policy);
            *(unsigned *)arg |= 1u << i;
        }
    return 0;
}

static void operators_see_no_crash(void)
{
    static const char *const commands[] = {"list", "workers", "ping", "history"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct output output;
        run(&output, CBCTL_PATH, "--registry", host.registry, commands[i], NULL);
        cr_expect_lt(output.status, 128, "cbctl %s: %d %s", commands[i], output.status, output.err);
        output_free(&output);
    }
}

static int admits(const char *name)
{
    cb_breaker *breaker;
    cb_permit permit;
    if (cb_get(registry, name, &breaker) != 0 || cb_acquire(breaker, &permit) != CB_ADMITTED)
        return 0;
    return cb_success(&permit) == 0 && cb_state_of(breaker) == CB_CLOSED;
}

static int count_worker(const struct cb_worker *worker, void *arg)
{
    (void)worker;
    ++*(int *)arg;
    return 0;
}

static int workers_listed(void)
{
    int count = 0;
    cr_assert_eq(cb_list_workers(registry, count_worker, &count), 0);
    return count;
}

static int see_repair(const struct cb_event *event, void *arg)
{
    *(int *)arg += strcmp(event->cause, "damage repaired") == 0;
    return 0;
}

static uint64_t abandoned(void)
{
    cb_breaker *breaker;
    struct cb_snapshot counts = {0};
    cr_assert_eq(cb_get(registry, "plain", &breaker), 0);
    cr_assert_eq(cb_snapshot_of(breaker, &counts, sizeof counts), 0);
    return counts.abandoned;
}

static int daemon_has_found_all(void)
{
    uint64_t before = cb_damage_count(registry), until = now_us() / 1000 + 300;
    while (now_us() / 1000 < until && cb_damage_count(registry) == before)
        poll(NULL, 0, 5);
    return cb_damage_count(registry) == before;
}

Test(scribbler, costs_nobody_but_counts_and_states)
{
    pid_t workers[WORKERS];
    unsigned seen = 0;
    int repairs = 0;
    for (int i = 0; i < WORKERS; i++)
        workers[i] = fork_child(worker_calls, (void *)&shared->rounds[i]);
    all_go_on();
    daemon_has_looked(); /* what it never saw it cannot restore */
    pid_t scribbler = fork_child(scribbles, NULL);
    for (int i = 0; i < 3; i++)
        operators_see_no_crash();
    cr_assert_eq(child_wait(scribbler), 0);
    wait_until(daemon_has_found_all());
    all_go_on();

    cr_expect_gt(cb_damage_count(registry), 0);
    cr_assert_eq(cb_list(registry, see_name, &seen), 0);
    cr_expect_eq(seen, (1u << BREAKERS) - 1, "every name and policy is as it was");
    for (int i = 0; i < BREAKERS - 1; i++)
        wait_until(admits(made[i].name));
    cr_assert_eq(cb_history(registry, "forced", see_repair, &repairs), 0);
    cr_expect_gt(repairs, 0, "the journal tells of it");

    struct cb_health health;
    cb_breaker *forced;
    cr_assert_eq(cb_get(registry, "forced", &forced), 0);
    cr_assert_eq(cb_health_of(forced, &health, sizeof health), 0);
    cr_expect_eq(health.counts.state, CB_FORCED_OPEN);
    cr_expect_str_eq(health.override_reason, "ticket 4711");

    /* Whose lanes were scribbled over is still watched: a death in the middle of a call is noticed. */
    cr_expect_eq(workers_listed(), WORKERS + 1);
    uint64_t before = abandoned();
    shared->hang = 1;
    shared->stop = 1;
    for (int i = 0; i < WORKERS; i++)
        cr_expect_eq(child_wait(workers[i]), 128 + SIGKILL);
    wait_until(abandoned() > before);
    wait_until(workers_listed() == 1);
    wait_until(daemon_has_found_all());
}

/* A daemon that comes back to such memory takes it over all the same. */
Test(scribbler, does_not_cost_a_restarted_daemon_its_breakers)
{
    unsigned seen = 0;
    daemon_kill(&host);
    cr_assert_eq(child_wait(fork_child(scribbles, NULL)), 0);
    daemon_restart(&host);
    wait_until(cb_damage_count(registry) > 0);
    wait_until(daemon_has_found_all());
    cr_assert_eq(cb_list(registry, see_name, &seen), 0);
    cr_expect_eq(seen, (1u << BREAKERS) - 1);
    for (int i = 0; i < BREAKERS - 1; i++)
        wait_until(admits(made[i].name));
    operators_see_no_crash();
}
