/* One breaker in many processes: with a daemon, without one, across forks, deaths, restarts and removals. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "cbclient.h"
#include "tests/process/await.h"

static struct daemon host;

static void start(void)
{
    daemon_start(&host, NULL);
}

static void stop(void)
{
    daemon_stop(&host);
}

TestSuite(sharing, .init = start, .fini = stop);

static cb_breaker *breaker_of(cb_registry **registry, const char *policy)
{
    cb_breaker *breaker = NULL;
    cr_assert_eq(cb_attach(host.registry, registry), 0, "%s", cb_last_error());
    cr_assert_geq(cb_get_or_create(*registry, "dependency", policy, &breaker), 0, "%s", cb_last_error());
    return breaker;
}

static struct cb_snapshot counts_of(const cb_breaker *breaker)
{
    struct cb_snapshot snapshot;
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot), 0);
    return snapshot;
}

/* ---- prefork ---- */

#define CHILDREN 8
#define CALLS    20000

static cb_breaker *inherited;

static void child_calls(void *arg)
{
    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        cb_permit permit;
        child_check(cb_acquire(inherited, &permit) == CB_ADMITTED);
        child_check((i % 4 ? cb_success(&permit) : cb_failure(&permit)) == 0);
    }
}

Test(sharing, a_master_attaches_and_its_forked_children_lose_no_count)
{
    cb_registry *registry;
    pid_t children[CHILDREN];
    inherited = breaker_of(&registry, "failure_threshold=1000000");
    for (int i = 0; i < CHILDREN; i++)
        children[i] = fork_child(child_calls, NULL);
    for (int i = 0; i < CHILDREN; i++)
        cr_assert_eq(child_wait(children[i]), 0);
    struct cb_snapshot counts = counts_of(inherited);
    cr_assert_eq(counts.successes, CHILDREN * CALLS * 3 / 4);
    cr_assert_eq(counts.failures, CHILDREN * CALLS / 4);
    wait_until(counts_of(inherited).in_flight == 0);
    cr_assert_eq(counts_of(inherited).abandoned, 0);
    cb_detach(&registry);
}

static cb_permit parents;

static void child_settles_parents_permit(void *arg)
{
    (void)arg;
    cb_permit mine;
    child_check(cb_failure(&parents) == CB_ENOTMINE);
    child_check(cb_acquire(inherited, &mine) == CB_ADMITTED);
    child_check(cb_success(&mine) == 0);
}

Test(sharing, a_fork_in_the_middle_of_a_call_leaves_the_permit_with_the_parent)
{
    cb_registry *registry;
    inherited = breaker_of(&registry, "failure_threshold=1");
    cr_assert_eq(cb_acquire(inherited, &parents), CB_ADMITTED);
    cr_assert_eq(child_wait(fork_child(child_settles_parents_permit, NULL)), 0);
    cr_assert_eq(counts_of(inherited).in_flight, 1);
    cr_assert_eq(cb_success(&parents), 0);
    cr_assert_eq(counts_of(inherited).successes, 2);
    cr_assert_eq(cb_state_of(inherited), CB_CLOSED);
    cb_detach(&registry);
}

static void child_controls(void *arg)
{
    (void)arg;
    child_check(cb_trip(inherited, "from the child") == 0);
}

Test(sharing, a_child_has_a_connection_of_its_own)
{
    cb_registry *registry;
    inherited = breaker_of(&registry, NULL);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(child_wait(fork_child(child_controls, NULL)), 0);
        cr_assert_eq(cb_state_of(inherited), CB_OPEN);
        cr_assert_eq(cb_reset(inherited, NULL), 0, "%s", cb_last_error());
        cr_assert_eq(cb_state_of(inherited), CB_CLOSED);
    }
    cb_detach(&registry);
}

/* ---- death ---- */

static int gate_pipe[2];

static void child_hangs_in_a_call(void *arg)
{
    (void)arg;
    cb_permit permit;
    child_check(cb_acquire(inherited, &permit) == CB_ADMITTED);
    child_check(write(gate_pipe[1], "x", 1) == 1);
    for (;;)
        pause();
}

static pid_t hanging_child(void)
{
    char byte;
    cr_assert_eq(pipe(gate_pipe), 0);
    pid_t child = fork_child(child_hangs_in_a_call, NULL);
    cr_assert_eq(read(gate_pipe[0], &byte, 1), 1);
    close(gate_pipe[0]);
    close(gate_pipe[1]);
    return child;
}

Test(sharing, a_worker_killed_in_the_middle_of_a_call_is_a_failure)
{
    cb_registry *registry;
    inherited = breaker_of(&registry, "failure_threshold=1");
    pid_t child = hanging_child();
    cr_assert_eq(counts_of(inherited).in_flight, 1);
    kill(child, SIGKILL);
    child_wait(child);
    wait_until(counts_of(inherited).abandoned == 1);
    cr_assert_eq(counts_of(inherited).in_flight, 0);
    cr_assert_eq(counts_of(inherited).failures, 0);
    cr_assert_eq(cb_state_of(inherited), CB_OPEN);
    cb_detach(&registry);
}

Test(sharing, a_worker_that_died_while_the_daemon_was_away_is_settled_when_it_is_back)
{
    cb_registry *registry;
    inherited = breaker_of(&registry, "failure_threshold=1");
    pid_t child = hanging_child();
    daemon_kill(&host);
    kill(child, SIGKILL);
    child_wait(child);
    cr_assert_eq(cb_state_of(inherited), CB_CLOSED);
    daemon_restart(&host);
    wait_until(cb_state_of(inherited) == CB_OPEN);
    cr_assert_eq(counts_of(inherited).abandoned, 1);
    cb_detach(&registry);
}

Test(sharing, a_stopped_worker_is_not_dead)
{
    cb_registry *registry;
    inherited = breaker_of(&registry, "failure_threshold=1");
    pid_t child = hanging_child(), other = hanging_child();
    kill(child, SIGSTOP);
    kill(other, SIGKILL); /* once this one is noticed, the stopped one has been looked at as well */
    child_wait(other);
    wait_until(counts_of(inherited).abandoned == 1);
    cr_assert_eq(counts_of(inherited).in_flight, 1);
    kill(child, SIGKILL);
    child_wait(child);
    wait_until(counts_of(inherited).abandoned == 2);
    cb_detach(&registry);
}

Test(sharing, a_hanging_call_is_overdue_while_it_still_hangs)
{
    cb_registry *registry;
    cb_permit permit;
    cb_breaker *breaker = breaker_of(&registry, "failure_threshold=1 call_timeout=50ms");
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    wait_until(cb_state_of(breaker) == CB_OPEN);
    cr_assert_eq(counts_of(breaker).overdue, 1);
    cr_assert_eq(counts_of(breaker).in_flight, 0);
    cr_assert_eq(cb_success(&permit), CB_EOVERDUE);
    cr_assert_eq(counts_of(breaker).successes, 0);
    cb_detach(&registry);
}

Test(sharing, a_place_under_max_concurrent_comes_back_with_its_holders_death)
{
    cb_registry *registry;
    cb_permit permit;
    inherited = breaker_of(&registry, "failure_threshold=100 max_concurrent=1");
    pid_t child = hanging_child();
    cr_assert_eq(cb_acquire(inherited, &permit), CB_REJECTED_CONCURRENCY);
    kill(child, SIGKILL);
    child_wait(child);
    wait_until(counts_of(inherited).abandoned == 1);
    cr_assert_eq(cb_acquire(inherited, &permit), CB_ADMITTED);
    cr_assert_eq(cb_success(&permit), 0);
    cb_detach(&registry);
}

/* ---- daemon and registry come and go ---- */

Test(sharing, calls_go_on_with_the_same_state_while_the_daemon_is_dead)
{
    cb_registry *registry;
    cb_permit permit;
    cb_breaker *breaker = breaker_of(&registry, "failure_threshold=2 open_timeout=10m");
    daemon_kill(&host);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
        cr_assert_eq(cb_failure(&permit), 0);
    }
    cr_assert_eq(cb_state_of(breaker), CB_OPEN);
    cr_assert_eq(cb_reset(breaker, NULL), CB_EUNREACHABLE);
    daemon_restart(&host);
    cr_assert_eq(cb_state_of(breaker), CB_OPEN);
    cr_assert_eq(counts_of(breaker).failures, 2);
    cr_assert_eq(cb_reset(breaker, "back"), 0, "%s", cb_last_error());
    cr_assert_eq(cb_state_of(breaker), CB_CLOSED);
    cb_detach(&registry);
}

static int call_until_shared(cb_registry *registry, cb_breaker *breaker)
{
    cb_permit permit;
    if (cb_acquire(breaker, &permit) == CB_ADMITTED)
        cb_success(&permit);
    return cb_is_shared(registry);
}

Test(sharing, without_a_registry_the_breaker_is_private_and_joins_later)
{
    cb_registry *registry, *other;
    cb_breaker *breaker, *seen;
    daemon_term(&host);
    struct output purge;
    run(&purge, REGISTRYD_PATH, "--registry", host.registry, "--runtime-dir", host.dir, "--purge", (char *)NULL);
    cr_assert_eq(purge.status, 0, "%s", purge.err);
    output_free(&purge);
    cr_assert_eq(cb_attach(host.registry, &registry), CB_ENODAEMON);
    cr_assert_eq(cb_get_or_create(registry, "late", "failure_threshold=7", &breaker), 0);
    cr_assert_eq(cb_is_shared(registry), 0);
    daemon_restart(&host);
    wait_until(call_until_shared(registry, breaker));
    cr_assert_eq(cb_attach(host.registry, &other), 0);
    cr_assert_eq(cb_get(other, "late", &seen), 0);
    cr_assert_eq(cb_trip(seen, NULL), 0);
    cr_assert_eq(cb_state_of(breaker), CB_OPEN);
    struct cb_health health;
    cr_assert_eq(cb_health_of(breaker, &health, sizeof health), 0);
    cr_assert_str_eq(health.policy, "failure_threshold=7");
    cr_assert_eq(health.shared, 1);
    cb_detach(&registry);
    cb_detach(&other);
}

Test(sharing, a_removed_breaker_that_is_in_use_is_created_anew)
{
    cb_registry *registry, *other;
    cb_breaker *seen;
    cb_permit permit;
    cb_breaker *breaker = breaker_of(&registry, "failure_threshold=7");
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_success(&permit), 0);
    cr_assert_eq(cb_attach(host.registry, &other), 0);
    cr_assert_eq(cb_get(other, "dependency", &seen), 0);
    cr_assert_eq(cb_remove(seen, NULL), 0);
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_success(&permit), 0);
    cr_assert_eq(counts_of(breaker).successes, 1);
    struct cb_health health;
    cr_assert_eq(cb_health_of(breaker, &health, sizeof health), 0);
    cr_assert_eq(health.shared, 1);
    cr_assert_str_eq(health.policy, "failure_threshold=7");
    cb_detach(&registry);
    cb_detach(&other);
}

Test(sharing, a_daemon_that_is_stopped_holds_nobody_up_for_long)
{
    cb_registry *registry;
    cb_permit permit;
    cb_breaker *breaker = breaker_of(&registry, NULL);
    kill(host.pid, SIGSTOP);
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_success(&permit), 0);
    uint64_t before = now_us() / 1000;
    cr_assert_eq(cb_trip(breaker, NULL), CB_EUNREACHABLE);
    cr_assert_lt(now_us() / 1000 - before, 5000);
    kill(host.pid, SIGCONT);
    cr_assert_eq(cb_ping(registry, NULL, NULL), 0);
    cb_detach(&registry);
}

static int count_one(const struct cb_worker *worker, void *arg)
{
    *(int *)arg += worker->pid == (uint32_t)getpid();
    return 0;
}

Test(sharing, a_worker_is_listed_while_it_is_attached)
{
    cb_registry *registry, *other;
    int seen = 0;
    breaker_of(&registry, NULL);
    cr_assert_eq(cb_attach(host.registry, &other), 0);
    cr_assert_eq(cb_list_workers(other, count_one, &seen), 0);
    cr_assert_eq(seen, 2);
    cb_detach(&registry);
    seen = 0;
    cr_assert_eq(cb_list_workers(other, count_one, &seen), 0);
    cr_assert_eq(seen, 1);
    cb_detach(&other);
}
