/* Many threads, many permits: nothing is lost, and nothing is left in the lanes. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "cbclient.h"
#include "core/lane.h"
#include "core/segment.h"
#include "tests/process/await.h"

#ifdef __SANITIZE_ADDRESS__
#define THREADS 10000 /* there, a thread is made in a tenth of a millisecond */
#else
#define THREADS 100000
#endif
#define AT_ONCE 10
#define PERMITS 10000

static struct daemon host;
static cb_registry *registry;
static cb_breaker *breaker;

static void begin(void)
{
    daemon_start(&host, NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(cb_get_or_create(registry, "dependency", "failure_threshold=1000000", &breaker), 0);
}

static void end(void)
{
    cb_detach(&registry);
    daemon_stop(&host);
}

TestSuite(many_calls, .init = begin, .fini = end);

static struct cb_snapshot counts(void)
{
    struct cb_snapshot snapshot;
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot), 0);
    return snapshot;
}

static unsigned chunks_taken(void)
{
    struct segment segment;
    char error[SEGMENT_ERROR_SIZE];
    unsigned taken = 0;
    cr_assert_eq(segment_open(host.registry, false, &segment, error), 0, "%s", error);
    for (uint32_t i = 0; i < segment.chunk_count; i++)
        taken += atomic_load(&segment.owners[i]) != 0;
    segment_close(&segment);
    return taken;
}

static void *one_call(void *arg)
{
    cb_permit permit;
    if (cb_acquire(breaker, &permit) != CB_ADMITTED || cb_success(&permit) != 0)
        return &breaker;
    return arg;
}

Test(many_calls, threads_that_make_one_call_each)
{
    uint64_t began = now_us();
    for (int done = 0; done < THREADS; done += AT_ONCE) {
        pthread_t threads[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, one_call, NULL), 0);
        for (int i = 0; i < AT_ONCE; i++) {
            void *failed;
            pthread_join(threads[i], &failed);
            cr_assert_null(failed);
        }
    }
    cr_log_info("%d threads: %.1f us each", THREADS, (double)(now_us() - began) / THREADS);
    cr_expect_eq(counts().successes, THREADS);
    cr_expect_eq(counts().in_flight, 0);
    cr_expect_leq(chunks_taken(), AT_ONCE + 1, "one for each that there was at once");
}

struct hand_over {
    cb_permit *permits;
    int failed;
};

static void *settles_all(void *arg)
{
    struct hand_over *over = arg;
    for (int i = 0; i < PERMITS; i++)
        over->failed += (i % 2 ? cb_success(&over->permits[i]) : cb_ignore(&over->permits[i])) != 0;
    return NULL;
}

Test(many_calls, ten_thousand_permits_that_another_thread_settles)
{
    struct hand_over over = {.permits = calloc(PERMITS, sizeof(cb_permit))};
    pthread_t thread;
    for (int i = 0; i < PERMITS; i++)
        cr_assert_eq(cb_acquire(breaker, &over.permits[i]), CB_ADMITTED);
    cr_expect_eq(counts().in_flight, PERMITS);
    pthread_create(&thread, NULL, settles_all, &over);
    pthread_join(thread, NULL);
    cr_expect_eq(over.failed, 0);
    cr_expect_eq(counts().in_flight, 0);
    cr_expect_eq(counts().successes, PERMITS / 2);
    cr_expect_eq(counts().ignored, PERMITS / 2);
    free(over.permits);
}

static void dies_with_many(void *arg)
{
    cb_permit *permits = calloc(PERMITS, sizeof *permits);
    (void)arg;
    for (int i = 0; i < PERMITS; i++)
        child_check(cb_acquire(breaker, &permits[i]) == CB_ADMITTED);
    raise(SIGKILL);
}

/* Also where each has a place under a limit, which is to be found and given back. */
Test(many_calls, ten_thousand_calls_end_with_their_process)
{
    static const char *const policies[] = {"failure_threshold=1000000",
                                           "failure_threshold=1000000 max_concurrent=10000"};
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(cb_set_policy(breaker, policies[i]), 0, "%s", cb_last_error());
        cr_expect_eq(child_wait(fork_child(dies_with_many, NULL)), 128 + SIGKILL);
        uint64_t died = now_us();
        wait_until(counts().abandoned == (uint64_t)PERMITS * (unsigned)(i + 1));
        cr_log_info("%s: %.1f ms", policies[i], (double)(now_us() - died) / 1000);
        cr_expect_eq(counts().in_flight, 0);
        cr_expect_eq(cb_would_admit(breaker), CB_ADMITTED);
    }
}
