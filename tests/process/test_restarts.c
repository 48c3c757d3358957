/*
 * The daemon killed and started again, over and over, under workers that never stop calling. An oracle knows every
 * answer that any of them got: no call fails because of it, and no state, override, count or permit is lost.
 *
 * RESTARTS in the environment: how often.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "cbclient.h"
#include "core/lane.h"
#include "tests/harness.h"

#define WORKERS      8
#define LIMIT        3 /* max_concurrent, which 8 workers reach */
#define VICTIM_EVERY 25

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif
#ifdef __clang__
#define ONCE_MORE 1 /* another compiler's daemon, not another test */
#else
#define ONCE_MORE 0
#endif
#define RESTARTS (SANITIZED || ONCE_MORE ? 100 : 1000)

/* ---- what they call, and what they are told ---- */

enum { STEADY, LIMITED, TIMED, TRIPPING, FORCED, VICTIMS, MARKED, BREAKERS };
static const struct {
    const char *name, *policy;
} breakers[BREAKERS] = {
    [STEADY] = {"steady", "failure_threshold=1000000 failure_rate_threshold=100 window=time:10s"},
    [LIMITED] = {"limited", "failure_threshold=1000000 max_concurrent=3"},
    [TIMED] = {"timed", "failure_threshold=1000000 call_timeout=168h timing=precise"},
    [TRIPPING] = {"tripping", "failure_threshold=3 open_timeout=1ms half_open_timeout=30m"},
    [FORCED] = {"forced", "jitter=5"},
    [VICTIMS] = {"victims", "failure_threshold=1000000"},
    [MARKED] = {"marked", "jitter=7"},
};

/* What one worker was told of one breaker. */
struct account {
    uint64_t successes, failures, rejected_open, rejected_probes, rejected_concurrency;
};

static struct shared {
    _Atomic bool stop;
    _Atomic int placed; /* calls under max_concurrent now */
    struct account accounts[WORKERS][BREAKERS];
} * shared;

static struct daemon host;
static cb_registry *registry;
static cb_breaker *handles[BREAKERS];

static void start(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(shared, MAP_FAILED);
    daemon_start(&host, NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    for (int i = 0; i < BREAKERS; i++)
        cr_assert_eq(cb_get_or_create(registry, breakers[i].name, breakers[i].policy, &handles[i]), 0, "%s",
                     cb_last_error());
    cr_assert_eq(cb_override(handles[FORCED], CB_FORCED_OPEN, 0, "ticket 4711"), 0, "%s", cb_last_error());
}

static void stop(void)
{
    cb_detach(&registry);
    daemon_stop(&host);
    munmap(shared, sizeof *shared);
}

TestSuite(restarts, .init = start, .fini = stop, .timeout = 120);

/* ---- workers ---- */

/* Ask, and account for the answer. True: admitted. */
static bool ask(struct account *accounts, int which, cb_permit *permit)
{
    struct account *account = &accounts[which];
    int answer = cb_acquire(handles[which], permit);
    child_check(answer >= CB_ADMITTED && answer <= CB_REJECTED_CONCURRENCY);
    account->rejected_open += answer == CB_REJECTED_OPEN;
    account->rejected_probes += answer == CB_REJECTED_PROBES;
    account->rejected_concurrency += answer == CB_REJECTED_CONCURRENCY;
    return answer == CB_ADMITTED;
}

static void succeed(struct account *accounts, int which, cb_permit *permit)
{
    child_check(cb_success(permit) == 0);
    accounts[which].successes++;
}

static void fail(struct account *accounts, int which, cb_permit *permit)
{
    child_check(cb_failure(permit) == 0);
    accounts[which].failures++;
}

/* A call of each kind, some inside others. */
static void go_round(struct account *accounts, unsigned round)
{
    cb_permit limited, timed, other;
    bool placed = ask(accounts, LIMITED, &limited);
    child_check(!placed || atomic_fetch_add(&shared->placed, 1) < LIMIT);
    child_check(ask(accounts, TIMED, &timed));
    child_check(ask(accounts, STEADY, &other));
    (round % 4 ? succeed : fail)(accounts, STEADY, &other);
    if (ask(accounts, TRIPPING, &other))
        (round % 8 ? fail : succeed)(accounts, TRIPPING, &other);
    child_check(!ask(accounts, FORCED, &other));
    succeed(accounts, TIMED, &timed);
    if (!placed)
        return;
    atomic_fetch_sub(&shared->placed, 1);
    succeed(accounts, LIMITED, &limited);
}

/* Busy whenever the processors have nothing better to do: a daemon that starts goes before. */
static void worker(void *arg)
{
    struct account *accounts = arg;
    setpriority(PRIO_PROCESS, 0, 10);
    while (!atomic_load(&shared->stop)) {
        cb_permit lasting; /* through many a restart */
        child_check(ask(accounts, STEADY, &lasting));
        for (unsigned round = 0; round < 100000 && !atomic_load(&shared->stop); round++)
            go_round(accounts, round);
        succeed(accounts, STEADY, &lasting);
    }
}

/* Dies in the middle of a call. */
static void victim(void *arg)
{
    const int *ready = arg;
    cb_permit permit;
    child_check(cb_acquire(handles[VICTIMS], &permit) == CB_ADMITTED);
    child_check(write(*ready, "r", 1) == 1);
    for (;;)
        pause();
}

static pid_t victim_start(void)
{
    int ends[2];
    char byte;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork_child(victim, &ends[1]);
    cr_assert_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void victim_die(pid_t pid)
{
    kill(pid, SIGKILL);
    child_wait(pid);
}

/* ---- the daemon ---- */

static unsigned restarts(void)
{
    const char *given = getenv("RESTARTS");
    return given ? (unsigned)strtoul(given, NULL, 10) : RESTARTS;
}

/* What it has acknowledged just before. */
static void mark(char reason[64], unsigned number)
{
    snprintf(reason, 64, "before restart %u", number);
    cr_assert_eq(cb_override(handles[MARKED], CB_DISABLED, 0, reason), 0, "%s", cb_last_error());
}

static struct cb_health health_of(int which)
{
    struct cb_health health;
    cr_assert_eq(cb_health_of(handles[which], &health, sizeof health), 0, "%s", cb_last_error());
    return health;
}

static void restart(unsigned number)
{
    char reason[64];
    pid_t dies = number % VICTIM_EVERY == 0 ? victim_start() : 0;
    mark(reason, number);
    if (dies && number % 2) /* under the daemon's eyes, which may not have the time to look */
        victim_die(dies);
    daemon_kill(&host);
    if (dies && number % 2 == 0)
        victim_die(dies);
    daemon_restart(&host);
    cr_assert_str_eq(health_of(MARKED).override_reason, reason);
}

/* ---- the oracle ---- */

static struct account told_of(int which)
{
    struct account sum = {0};
    for (int i = 0; i < WORKERS; i++) {
        const struct account *one = &shared->accounts[i][which];
        sum.successes += one->successes;
        sum.failures += one->failures;
        sum.rejected_open += one->rejected_open;
        sum.rejected_probes += one->rejected_probes;
        sum.rejected_concurrency += one->rejected_concurrency;
    }
    return sum;
}

#define EXPECT_SAME(which, member)                                                                                     \
    cr_expect(counts.member == told.member, "%s: " #member " %llu, and the workers know of %llu",                      \
              breakers[which].name, (unsigned long long)counts.member, (unsigned long long)told.member)

static void check_counts(int which)
{
    struct cb_health health = health_of(which);
    struct cb_snapshot counts = health.counts;
    struct account told = told_of(which);
    EXPECT_SAME(which, successes);
    EXPECT_SAME(which, failures);
    EXPECT_SAME(which, rejected_open);
    EXPECT_SAME(which, rejected_probes);
    EXPECT_SAME(which, rejected_concurrency);
    cr_expect(counts.in_flight == 0 && counts.overdue == 0 && (which == VICTIMS || counts.abandoned == 0), "%s",
              breakers[which].name);
    cr_expect_str_eq(health.policy, breakers[which].policy);
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until `condition` holds; the daemon comes to it by itself. */
#define wait_until(condition)                                                                                          \
    do {                                                                                                               \
        long until = now_ms() + HARNESS_DEADLINE_MS;                                                                   \
        while (!(condition)) {                                                                                         \
            cr_assert(now_ms() < until, "did not come: %s", #condition);                                               \
            poll(NULL, 0, 1);                                                                                          \
        }                                                                                                              \
    } while (0)

/* Worker numbers, chunks and entries that somebody has. */
static unsigned lanes_taken(const struct segment *segment)
{
    unsigned taken = 0;
    for (uint32_t i = 0; i < segment->worker_count; i++)
        taken += atomic_load(&segment->workers[i].process) != 0;
    for (uint32_t i = 0; i < segment->chunk_count; i++)
        taken += atomic_load(&segment->owners[i]) != 0;
    for (uint32_t i = 0; i < segment->chunk_count * CHUNK_CALLS; i++)
        taken += (atomic_load(&lane_call(segment, i)->call) & CALL_BUSY) != 0;
    return taken;
}

static void check_lanes(void)
{
    struct segment segment;
    char error[SEGMENT_ERROR_SIZE];
    cr_assert_eq(segment_open(host.registry, false, &segment, error), 0, "%s", error);
    cb_detach(&registry);
    wait_until(lanes_taken(&segment) == 0);
    segment_close(&segment);
}

/* No probe was lost: its lease would last half an hour. */
static void check_recovery(void)
{
    cb_permit permit;
    wait_until(cb_acquire(handles[TRIPPING], &permit) == CB_ADMITTED);
    cr_expect_eq(cb_success(&permit), 0);
    cr_expect_eq(cb_state_of(handles[TRIPPING]), CB_CLOSED);
}

Test(restarts, under_busy_workers_lose_nothing)
{
    pid_t workers[WORKERS];
    unsigned count = restarts(), victims = (count + VICTIM_EVERY - 1) / VICTIM_EVERY;
    for (int i = 0; i < WORKERS; i++)
        workers[i] = fork_child(worker, shared->accounts[i]);
    long began = now_ms();
    for (unsigned i = 0; i < count; i++)
        restart(i);
    long took = now_ms() - began;
    atomic_store(&shared->stop, true);
    for (int i = 0; i < WORKERS; i++)
        cr_assert_eq(child_wait(workers[i]), 0);
    wait_until(health_of(VICTIMS).counts.abandoned == victims);
    for (int i = 0; i < BREAKERS; i++)
        check_counts(i);
    cr_expect_eq(health_of(FORCED).counts.state, CB_FORCED_OPEN);
    cr_expect_str_eq(health_of(FORCED).override_reason, "ticket 4711");
    cr_expect_gt(told_of(LIMITED).successes, 0);
    check_recovery();
    cr_log_info("%u restarts in %ld ms, %llu calls", count, took, (unsigned long long)told_of(STEADY).successes);
    check_lanes();
}
