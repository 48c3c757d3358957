/* Threads as workers on one private registry: the same call path as between processes, where TSan can see all of it.
 * Run by `./dev test` under TSan as well. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "cbclient.h"

#define THREADS 6
#define ROUNDS  4000

/* What the threads did, to compare with what the breaker says. */
struct sums {
    _Atomic uint64_t successes, failures, ignored, rejected, rejected_concurrency;
    _Atomic int inside, most_inside;
};

struct scene {
    cb_registry *registry;
    cb_breaker *breaker;
    struct sums sums;
    _Atomic int callers; /* still running */
};

static void scene_open(struct scene *scene, const char *policy)
{
    char name[64];
    *scene = (struct scene){0};
    snprintf(name, sizeof name, "threads-%d", (int)getpid());
    cr_assert_eq(cb_attach(name, &scene->registry), CB_ENODAEMON);
    cr_assert_eq(cb_get_or_create(scene->registry, "dependency", policy, &scene->breaker), 0, "%s", cb_last_error());
}

static void run_threads(void *(*const *functions)(void *), size_t count, void *arg)
{
    pthread_t threads[THREADS + 2];
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, functions[i], arg), 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void run_callers(struct scene *scene, void *(*caller)(void *))
{
    void *(*functions[THREADS])(void *);
    for (size_t i = 0; i < THREADS; i++)
        functions[i] = caller;
    run_threads(functions, THREADS, scene);
}

static void count_rejection(struct sums *sums, int answer)
{
    atomic_fetch_add(&sums->rejected, 1);
    if (answer == CB_REJECTED_CONCURRENCY)
        atomic_fetch_add(&sums->rejected_concurrency, 1);
}

static void settle_one(struct sums *sums, cb_permit *permit, unsigned round)
{
    switch (round % 4) {
    case 0:
        atomic_fetch_add(&sums->failures, cb_failure(permit) == 0);
        break;
    case 1:
        atomic_fetch_add(&sums->ignored, cb_ignore(permit) == 0);
        break;
    default:
        atomic_fetch_add(&sums->successes, cb_success(permit) == 0);
    }
}

static void check_counts(struct scene *scene)
{
    struct cb_snapshot counts;
    cr_assert_eq(cb_snapshot_of(scene->breaker, &counts, sizeof counts), 0);
    cr_expect_eq(counts.successes, scene->sums.successes);
    cr_expect_eq(counts.failures, scene->sums.failures);
    cr_expect_eq(counts.ignored, scene->sums.ignored);
    cr_expect_eq(counts.rejected, scene->sums.rejected);
    cr_expect_eq(counts.rejected_concurrency, scene->sums.rejected_concurrency);
    cr_expect_eq(counts.in_flight, 0);
    cr_expect_eq(counts.abandoned, 0);
}

static void *call_all_kinds(void *arg)
{
    struct scene *scene = arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        cb_permit permit;
        int answer = cb_acquire(scene->breaker, &permit);
        if (answer == CB_ADMITTED)
            settle_one(&scene->sums, &permit, round);
        else
            count_rejection(&scene->sums, answer);
    }
    atomic_fetch_sub(&scene->callers, 1);
    return NULL;
}

Test(threads, every_outcome_is_counted_once)
{
    struct scene scene;
    scene_open(&scene, "failure_threshold=1000000");
    run_callers(&scene, call_all_kinds);
    check_counts(&scene);
    cr_expect_eq(scene.sums.rejected, 0);
    cr_expect_eq(scene.sums.successes, THREADS * ROUNDS / 2);
    cb_detach(&scene.registry);
}

Test(threads, counts_stay_exact_with_windows_and_timing)
{
    struct scene scene;
    scene_open(&scene, "failure_threshold=0 failure_rate_threshold=40 window=count:50 open_timeout=1ms timing=precise");
    run_callers(&scene, call_all_kinds);
    check_counts(&scene);
    cb_detach(&scene.registry);
}

/* An operator who does everything at once, as long as there are callers. */
static void *operate(void *arg)
{
    struct scene *scene = arg;
    static const char *const policies[] = {"failure_threshold=3 open_timeout=1ms max_concurrent=2",
                                           "failure_threshold=2 open_timeout=1ms window=time:1s timing=precise"};
    for (unsigned round = 0; atomic_load(&scene->callers) > 0; round++) {
        cb_trip(scene->breaker, "because");
        cb_set_policy(scene->breaker, policies[round % 2]);
        cb_override(scene->breaker, CB_FORCED_OPEN, 1, NULL);
        cb_override(scene->breaker, CB_CLOSED, 0, NULL);
        cb_override(scene->breaker, CB_METRICS_ONLY, 0, "watching");
        sched_yield();
        cb_reset(scene->breaker, NULL);
    }
    return NULL;
}

static int visit(const struct cb_health *health, void *arg)
{
    *(uint64_t *)arg += health->counts.successes;
    return 0;
}

static int visit_event(const struct cb_event *event, void *arg)
{
    *(uint64_t *)arg += event->sequence;
    return 0;
}

static void *look(void *arg)
{
    struct scene *scene = arg;
    uint64_t seen = 0;
    while (atomic_load(&scene->callers) > 0) {
        struct cb_health health;
        cb_health_of(scene->breaker, &health, sizeof health);
        cb_list(scene->registry, visit, &seen);
        cb_history(scene->registry, NULL, visit_event, &seen);
        cb_would_admit(scene->breaker);
    }
    return NULL;
}

Test(threads, controls_and_readers_disturb_no_count)
{
    struct scene scene;
    scene_open(&scene, "failure_threshold=3 open_timeout=1ms");
    scene.callers = THREADS;
    void *(*functions[THREADS + 2])(void *) = {operate, look};
    for (size_t i = 2; i < THREADS + 2; i++)
        functions[i] = call_all_kinds;
    run_threads(functions, THREADS + 2, &scene);
    check_counts(&scene);
    cb_detach(&scene.registry);
}

/* Be inside for a moment, and note how many are. */
static void be_inside(struct sums *sums)
{
    int inside = atomic_fetch_add(&sums->inside, 1) + 1;
    int most = atomic_load(&sums->most_inside);
    while (inside > most && !atomic_compare_exchange_weak(&sums->most_inside, &most, inside))
        ;
    sched_yield();
    atomic_fetch_sub(&sums->inside, 1);
}

static void *call_and_ignore(void *arg)
{
    struct scene *scene = arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        cb_permit permit;
        int answer = cb_acquire(scene->breaker, &permit);
        if (answer != CB_ADMITTED) {
            count_rejection(&scene->sums, answer);
            continue;
        }
        be_inside(&scene->sums);
        atomic_fetch_add(&scene->sums.ignored, cb_ignore(&permit) == 0);
    }
    return NULL;
}

Test(threads, never_more_calls_than_max_concurrent)
{
    struct scene scene;
    scene_open(&scene, "max_concurrent=2");
    run_callers(&scene, call_and_ignore);
    check_counts(&scene);
    cr_expect_leq(scene.sums.most_inside, 2);
    cr_expect_eq(scene.sums.ignored + scene.sums.rejected, THREADS * ROUNDS);
    cb_detach(&scene.registry);
}

Test(threads, never_more_probes_than_half_open_max_calls)
{
    struct scene scene;
    scene_open(&scene, "half_open_max_calls=2 open_timeout=1ms half_open_timeout=30m");
    cr_assert_eq(cb_trip(scene.breaker, NULL), 0);
    while (cb_state_of(scene.breaker) == CB_OPEN)
        sched_yield();
    run_callers(&scene, call_and_ignore);
    check_counts(&scene);
    cr_expect_leq(scene.sums.most_inside, 2);
    cr_expect_gt(scene.sums.ignored, 0);
    cr_expect_eq(cb_state_of(scene.breaker), CB_HALF_OPEN);
    cb_detach(&scene.registry);
}

/* Permits that wait to be settled by another thread. */
struct exchange {
    struct scene scene;
    pthread_mutex_t mutex;
    cb_permit permits[16];
    unsigned waiting;
};

static void *hand_over(void *arg)
{
    struct exchange *exchange = arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        cb_permit mine, other = {0};
        if (cb_acquire(exchange->scene.breaker, &mine) != CB_ADMITTED)
            continue; /* shows in the counts */
        pthread_mutex_lock(&exchange->mutex);
        if (exchange->waiting < 16) {
            exchange->permits[exchange->waiting++] = mine;
        } else {
            other = exchange->permits[round % 16];
            exchange->permits[round % 16] = mine;
        }
        pthread_mutex_unlock(&exchange->mutex);
        atomic_fetch_add(&exchange->scene.sums.successes, cb_success(&other) == 0);
    }
    return NULL;
}

Test(threads, permits_move_between_threads)
{
    struct exchange exchange = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct cb_snapshot counts;
    scene_open(&exchange.scene, NULL);
    void *(*functions[THREADS])(void *) = {hand_over, hand_over, hand_over, hand_over, hand_over, hand_over};
    run_threads(functions, THREADS, &exchange);
    cb_snapshot_of(exchange.scene.breaker, &counts, sizeof counts);
    cr_expect_eq(counts.in_flight, 16);
    for (unsigned i = 0; i < exchange.waiting; i++)
        atomic_fetch_add(&exchange.scene.sums.successes, cb_success(&exchange.permits[i]) == 0);
    check_counts(&exchange.scene);
    cr_expect_eq(exchange.scene.sums.successes, THREADS * ROUNDS);
    cb_detach(&exchange.scene.registry);
}

static void *create_all(void *arg)
{
    struct scene *scene = arg;
    char name[32];
    for (unsigned i = 0; i < 40; i++) {
        cb_breaker *created, *found;
        snprintf(name, sizeof name, "dependency-%u", i);
        int result = cb_get_or_create(scene->registry, name, "failure_threshold=7", &created);
        atomic_fetch_add(&scene->sums.successes, result == 0);
        atomic_fetch_add(&scene->sums.failures, cb_get(scene->registry, name, &found) != 0 || found != created);
    }
    return NULL;
}

static int count_breakers(const struct cb_health *health, void *arg)
{
    (void)health;
    ++*(unsigned *)arg;
    return 0;
}

Test(threads, one_name_is_one_breaker)
{
    struct scene scene;
    unsigned breakers = 0;
    scene_open(&scene, NULL);
    run_callers(&scene, create_all);
    cr_expect_eq(scene.sums.successes, THREADS * 40);
    cr_expect_eq(scene.sums.failures, 0);
    cr_expect_eq(cb_list(scene.registry, count_breakers, &breakers), 0);
    cr_expect_eq(breakers, 41);
    cb_detach(&scene.registry);
}
