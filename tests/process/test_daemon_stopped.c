/*
 * A daemon that is stopped (SIGSTOP, a debugger, a frozen host): calls go on as if it were not, and whatever needs it
 * says so within its deadline.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "cbclient.h"
#include "tests/process/wire.h"

#define DEADLINE_MS      2000 /* of anything that asks the daemon, as cbclient(3) promises */
#define JOIN_DEADLINE_MS 1000
#define SLACK_MS         2000 /* of a busy machine */

static struct daemon host;
static cb_registry *registry;

static void start(void)
{
    daemon_start(&host, NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
}

static void stop(void)
{
    cb_detach(&registry);
    kill(host.pid, SIGCONT);
    daemon_stop(&host);
}

TestSuite(daemon_stopped, .init = start, .fini = stop);

static void freeze(void)
{
    int status;
    kill(host.pid, SIGSTOP);
    cr_assert(waitpid(host.pid, &status, WUNTRACED) == host.pid && WIFSTOPPED(status));
}

static cb_breaker *breaker_of(cb_registry *of, const char *name, const char *policy)
{
    cb_breaker *breaker;
    cr_assert_eq(cb_get_or_create(of, name, policy, &breaker), 0, "%s", cb_last_error());
    return breaker;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- workers ---- */

#define WORKERS 8
#define CALLS   5000

static cb_breaker *shared;

static void worker_calls(void *arg)
{
    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        cb_permit permit;
        child_check(cb_acquire(shared, &permit) == CB_ADMITTED);
        child_check((i % 2 ? cb_success(&permit) : cb_failure(&permit)) == 0);
    }
}

Test(daemon_stopped, workers_lose_no_call_and_no_count)
{
    struct cb_snapshot counts;
    pid_t workers[WORKERS];
    shared = breaker_of(registry, "a", "failure_threshold=1000000");
    freeze();
    for (int i = 0; i < WORKERS; i++)
        workers[i] = fork_child(worker_calls, NULL); /* each attaches by its first call */
    for (int i = 0; i < WORKERS; i++)
        cr_expect_eq(child_wait(workers[i]), 0);
    cr_assert_eq(cb_snapshot_of(shared, &counts, sizeof counts), 0);
    cr_expect(counts.successes == WORKERS * CALLS / 2 && counts.failures == WORKERS * CALLS / 2, "%d ok, %d failed",
              (int)counts.successes, (int)counts.failures);
}

Test(daemon_stopped, a_breaker_trips_rejects_probes_and_closes)
{
    cb_permit permit;
    shared = breaker_of(registry, "a", "failure_threshold=2 open_timeout=20ms");
    freeze();
    for (int i = 0; i < 2; i++)
        cr_assert(cb_acquire(shared, &permit) == CB_ADMITTED && cb_failure(&permit) == 0);
    cr_expect_eq(cb_acquire(shared, &permit), CB_REJECTED_OPEN);
    long until = now_ms() + HARNESS_DEADLINE_MS;
    while (cb_acquire(shared, &permit) != CB_ADMITTED)
        cr_assert(now_ms() < until, "never half-open");
    cr_expect_eq(cb_state_of(shared), CB_HALF_OPEN);
    cr_expect_eq(cb_success(&permit), 0);
    cr_expect_eq(cb_state_of(shared), CB_CLOSED);
}

/* ---- whoever asks the daemon ---- */

struct request {
    const char *name;
    int (*make)(cb_registry *, cb_breaker *);
};

static int pings(cb_registry *of, cb_breaker *breaker)
{
    (void)breaker;
    return cb_ping(of, NULL, NULL);
}

static int creates(cb_registry *of, cb_breaker *breaker)
{
    (void)breaker;
    return cb_get_or_create(of, "another", "", &breaker);
}

static int trips(cb_registry *of, cb_breaker *breaker)
{
    (void)of;
    return cb_trip(breaker, "");
}

static int resets(cb_registry *of, cb_breaker *breaker)
{
    (void)of;
    return cb_reset(breaker, "");
}

static int resets_all(cb_registry *of, cb_breaker *breaker)
{
    (void)breaker;
    return cb_reset_all(of, "");
}

static int overrides(cb_registry *of, cb_breaker *breaker)
{
    (void)of;
    return cb_override(breaker, CB_DISABLED, 0, "");
}

static int sets_policy(cb_registry *of, cb_breaker *breaker)
{
    (void)of;
    return cb_set_policy(breaker, "jitter=1");
}

static int removes(cb_registry *of, cb_breaker *breaker)
{
    (void)of;
    return cb_remove(breaker, "");
}

static const struct request requests[] = {
    {"ping", pings},           {"create", creates},     {"trip", trips},         {"reset", resets},
    {"reset all", resets_all}, {"override", overrides}, {"policy", sets_policy}, {"remove", removes},
};
#define REQUESTS (sizeof requests / sizeof *requests)

static long began_ms;

static void child_asks(void *arg)
{
    const struct request *request = arg;
    cb_registry *own;
    cb_breaker *breaker;
    child_check(cb_attach(host.registry, &own) == 0); /* the memory is there */
    child_check(now_ms() - began_ms < JOIN_DEADLINE_MS + SLACK_MS);
    child_check(cb_get(own, "a", &breaker) == 0);
    int code = request->make(own, breaker);
    long took_ms = now_ms() - began_ms;
    if (code != CB_EUNREACHABLE || took_ms >= JOIN_DEADLINE_MS + DEADLINE_MS + SLACK_MS)
        fprintf(stderr, "%s: %d after %ld ms: %s\n", request->name, code, took_ms, cb_last_error());
    child_check(code == CB_EUNREACHABLE && took_ms < JOIN_DEADLINE_MS + DEADLINE_MS + SLACK_MS);
    child_check(cb_list(own, NULL, NULL) == -EINVAL); /* the handle is as good as before */
}

/* All at once, so that the test takes as long as one of them. */
static void everybody_asks(void)
{
    pid_t children[REQUESTS];
    began_ms = now_ms();
    for (size_t i = 0; i < REQUESTS; i++)
        children[i] = fork_child(child_asks, (void *)(uintptr_t)&requests[i]);
    for (size_t i = 0; i < REQUESTS; i++)
        cr_expect_eq(child_wait(children[i]), 0, "%s", requests[i].name);
}

Test(daemon_stopped, each_request_ends_by_its_deadline)
{
    breaker_of(registry, "a", "");
    freeze();
    everybody_asks();
}

/* Peers that nobody will ever hear of fill the queue of the socket: then already connecting waits. */
Test(daemon_stopped, so_it_does_when_the_sockets_queue_is_full)
{
    enum { MOST = 4096 };
    static int queued[MOST];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int count = 0;
    breaker_of(registry, "a", "");
    freeze();
    snprintf(address.sun_path, sizeof address.sun_path, "%.40s/%.40s.sock", host.dir, host.registry);
    do {
        queued[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        cr_assert(queued[count] >= 0 && count < MOST - 1);
    } while (connect(queued[count++], (struct sockaddr *)&address, sizeof address) == 0);
    cr_assert(errno == EAGAIN, "%s", strerror(errno));
    everybody_asks();
    kill(host.pid, SIGCONT);
    cr_expect_eq(cb_ping(registry, NULL, NULL), 0, "%s", cb_last_error());
    while (count > 0)
        close(queued[--count]);
}

static void *thread_asks(void *arg)
{
    int *code = arg;
    *code = cb_ping(registry, NULL, NULL);
    return NULL;
}

/* They share the handle's one connection, and waited for each other once: the last one for all before it. */
Test(daemon_stopped, threads_that_share_a_handle_do_not_wait_for_each_other)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    int codes[THREADS];
    freeze();
    began_ms = now_ms();
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, thread_asks, &codes[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(codes[i], CB_EUNREACHABLE);
    }
    long took_ms = now_ms() - began_ms;
    cr_expect(took_ms < DEADLINE_MS + SLACK_MS, "%ld ms", took_ms);
    kill(host.pid, SIGCONT);
    cr_expect_eq(cb_ping(registry, NULL, NULL), 0, "%s", cb_last_error());
}

Test(daemon_stopped, when_it_goes_on_all_is_as_before)
{
    cb_permit permit;
    struct cb_snapshot counts;
    shared = breaker_of(registry, "a", "failure_threshold=1000000 call_timeout=50ms");
    cr_assert_eq(cb_acquire(shared, &permit), CB_ADMITTED);
    freeze();
    kill(host.pid, SIGCONT);
    long until = now_ms() + HARNESS_DEADLINE_MS;
    do { /* overdue: the daemon's to settle */
        cr_assert_eq(cb_snapshot_of(shared, &counts, sizeof counts), 0);
        cr_assert(now_ms() < until, "the overdue call is not settled");
    } while (counts.overdue == 0);
    cr_expect_eq(cb_success(&permit), CB_EOVERDUE);
    cr_expect_eq(cb_ping(registry, NULL, NULL), 0, "%s", cb_last_error());
}
