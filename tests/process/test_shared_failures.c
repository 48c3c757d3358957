/* What one breaker for many processes is for: no failure is lost between them, and each sees what the others learn. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "cbclient.h"
#include "tests/harness.h"

#define WORKERS  4
#define FAILURES 10000 /* a worker */

/* What a worker is to do, as soon as all are there: the pipe's other end closes. */
struct job {
    const struct daemon *daemon;
    int gate[2];
    unsigned calls;
    int outcome; /* enum cb_outcome */
};

static cb_breaker *attach(const struct daemon *daemon, cb_registry **registry)
{
    cb_breaker *breaker = NULL;
    child_check(cb_attach(daemon->registry, registry) == 0);
    child_check(cb_get(*registry, "upstream", &breaker) == 0);
    return breaker;
}

static void wait_for_all(const struct job *job)
{
    char byte;
    close(job->gate[1]);
    child_check(read(job->gate[0], &byte, 1) == 0);
}

static void make_calls(void *arg)
{
    const struct job *job = arg;
    cb_registry *registry;
    cb_breaker *breaker = attach(job->daemon, &registry);
    wait_for_all(job);
    for (unsigned i = 0; i < job->calls; i++) {
        cb_permit permit;
        child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
        child_check(cb_settle(&permit, job->outcome, 1000) == 0);
    }
    cb_detach(&registry);
}

static void fail_until_rejected(void *arg)
{
    const struct job *job = arg;
    cb_registry *registry;
    cb_permit permit;
    cb_breaker *breaker = attach(job->daemon, &registry);
    wait_for_all(job);
    while (cb_acquire(breaker, &permit) == CB_ADMITTED)
        child_check(cb_failure(&permit) == 0);
    cb_detach(&registry);
}

/* Run `work` in `workers` processes at once. */
static void run_workers(unsigned workers, void (*work)(void *), struct job job)
{
    pid_t children[WORKERS];
    cr_assert_eq(pipe(job.gate), 0);
    for (unsigned i = 0; i < workers; i++)
        children[i] = fork_child(work, &job);
    close(job.gate[0]);
    close(job.gate[1]);
    for (unsigned i = 0; i < workers; i++)
        cr_assert_eq(child_wait(children[i]), 0);
}

/* One process makes `calls` calls with this outcome and ends. */
static void one_worker(const struct daemon *daemon, unsigned calls, enum cb_outcome outcome)
{
    run_workers(1, make_calls, (struct job){.daemon = daemon, .calls = calls, .outcome = outcome});
}

static struct daemon daemon_of_test;
static cb_registry *registry;
static cb_breaker *upstream;

static void start(const char *policy)
{
    daemon_start(&daemon_of_test, NULL);
    cr_assert_eq(cb_attach(daemon_of_test.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(cb_get_or_create(registry, "upstream", policy, &upstream), 0, "%s", cb_last_error());
}

static void stop(void)
{
    cb_detach(&registry);
    daemon_stop(&daemon_of_test);
}

static struct cb_health health(void)
{
    struct cb_health out;
    cr_assert_eq(cb_health_of(upstream, &out, sizeof out), 0);
    return out;
}

Test(shared_failures, no_failure_is_lost, .fini = stop)
{
    start("failure_threshold=1000000");
    run_workers(WORKERS, make_calls, (struct job){.daemon = &daemon_of_test, .calls = FAILURES, .outcome = CB_FAILURE});
    struct cb_health now = health();
    cr_assert_eq(now.counts.failures, WORKERS * FAILURES, "%" PRIu64 " failures counted", now.counts.failures);
    cr_assert_eq(now.streak, WORKERS * FAILURES, "a streak of %" PRIu64, now.streak);
    cr_assert_eq(now.counts.state, CB_CLOSED);
    cr_assert_eq(now.counts.in_flight, 0);
}

Test(shared_failures, the_trip_comes_exactly_at_the_threshold, .fini = stop)
{
    start("failure_threshold=40001");
    run_workers(WORKERS, make_calls, (struct job){.daemon = &daemon_of_test, .calls = FAILURES, .outcome = CB_FAILURE});
    cr_assert_eq(cb_state_of(upstream), CB_CLOSED, "one failure less than the threshold");
    one_worker(&daemon_of_test, 1, CB_FAILURE);
    cr_assert_eq(cb_state_of(upstream), CB_OPEN);
    cr_assert_eq(health().counts.transitions, 1);
}

/* N workers cost one threshold, plus what each had under way, and trip once. */
Test(shared_failures, all_workers_together_cost_one_threshold, .fini = stop)
{
    start("failure_threshold=5000 open_timeout=1h");
    run_workers(WORKERS, fail_until_rejected, (struct job){.daemon = &daemon_of_test});
    struct cb_snapshot counts = health().counts;
    cr_assert_eq(counts.state, CB_OPEN);
    cr_assert_eq(counts.transitions, 1);
    cr_assert_eq(counts.rejected, WORKERS);
    cr_assert(counts.failures >= 5000 && counts.failures < 5000 + WORKERS, "%" PRIu64 " failures", counts.failures);
}

Test(shared_failures, a_success_of_another_process_clears_the_streak, .fini = stop)
{
    start("failure_threshold=3");
    one_worker(&daemon_of_test, 2, CB_FAILURE);
    one_worker(&daemon_of_test, 1, CB_SUCCESS);
    cr_assert_eq(health().streak, 0);
    one_worker(&daemon_of_test, 2, CB_FAILURE);
    cr_assert_eq(cb_state_of(upstream), CB_CLOSED);
    one_worker(&daemon_of_test, 1, CB_FAILURE);
    cr_assert_eq(cb_state_of(upstream), CB_OPEN);
}
