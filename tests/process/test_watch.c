/* Events as they happen, and the history: nothing is lost and nothing comes twice, whoever dies, stops or is slow. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "core/gate.h"
#include "core/segment.h"
#include "tests/harness.h"
#include "tests/process/step.h"
#include <cbclient.h>

static struct daemon server;
static cb_registry *registry;
static cb_watch *watch;

static void begin(void)
{
    daemon_start(&server, "--capacity", "16", (char *)NULL);
    cr_assert_eq(cb_attach(server.registry, &registry), 0, "%s", cb_last_error());
}

static void end(void)
{
    cb_watch_close(&watch);
    cb_detach(&registry);
    daemon_stop(&server);
}

TestSuite(watch, .init = begin, .fini = end);

static cb_breaker *breaker_of(const char *name, const char *policy)
{
    cb_breaker *breaker;
    int code = cb_get_or_create(registry, name, policy, &breaker);
    cr_assert(code == 0 || code == CB_POLICY_DIFFERS, "%s", cb_last_error());
    return breaker;
}

static void open_watch(const char *name)
{
    cr_assert_eq(cb_watch_open(registry, name, &watch), 0, "%s", cb_last_error());
    cr_assert_eq(cb_watch_connected(watch), 1);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The next event, waiting for it on the descriptor alone. */
static int next(struct cb_event *event)
{
    struct pollfd ready = {cb_watch_fd(watch), POLLIN, 0};
    uint64_t deadline = now_ms() + HARNESS_DEADLINE_MS;
    int code;
    while ((code = cb_watch_next(watch, event, sizeof *event)) == -EAGAIN && now_ms() < deadline)
        poll(&ready, 1, HARNESS_DEADLINE_MS);
    return code;
}

static void expect_next(const char *name, const char *text)
{
    struct cb_event event;
    int code = next(&event);
    cr_assert_eq(code, 0, "%s: %d", text, code);
    cr_assert(strcmp(event.name, name) == 0 && strcmp(event.text, text) == 0, "%s: %s instead of %s", event.name,
              event.text, text);
}

static void expect_none(void)
{
    struct cb_event event;
    cr_assert_eq(cb_watch_next(watch, &event, sizeof event), -EAGAIN, "%s", event.text);
}

static void fail_once(cb_breaker *breaker)
{
    cb_permit permit;
    if (cb_acquire(breaker, &permit) == CB_ADMITTED)
        cb_failure(&permit);
}

/* ---- what a watch sees ---- */

Test(watch, sees_what_workers_and_operators_do)
{
    struct cb_event event;
    open_watch(NULL);
    cb_breaker *breaker = breaker_of("b", "failure_threshold=2");
    fail_once(breaker);
    fail_once(breaker);
    cr_assert_eq(cb_reset(breaker, "enough"), 0);
    cr_assert_eq(next(&event), 0);
    cr_assert(event.sequence == 1 && strcmp(event.cause, "created") == 0 && event.uid == (uint32_t)getuid());
    cr_assert_str_eq(event.reason, "failure_threshold=2");
    cr_assert_eq(next(&event), 0);
    cr_assert_str_eq(event.text, "open: 2 consecutive failures (threshold 2)");
    cr_assert(event.sequence == 2 && event.from == CB_CLOSED && event.to == CB_OPEN && !event.filled);
    cr_assert(event.pid == (uint32_t)getpid() && event.uid == UINT32_MAX);
    cr_assert_str_eq(event.command, "test_watch");
    cr_assert(event.value == 2 && event.of == 0 && event.threshold == 2 && event.until_ms == event.time_ms + 30000);
    cr_assert(event.wall_ms / 1000 - (uint64_t)time(NULL) + 60 < 120, "the wall's time");
    cr_assert_eq(next(&event), 0);
    cr_assert(event.sequence == 3 && event.uid == (uint32_t)getuid() && strcmp(event.reason, "enough") == 0);
    expect_none();
}

static void leave_a_call(void *arg)
{
    cb_registry *own;
    cb_breaker *breaker;
    cb_permit permit;
    prctl(PR_SET_NAME, "leaver");
    child_check(cb_attach(server.registry, &own) == 0 && cb_get(own, "b", &breaker) == 0);
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
    *(bool *)arg ? raise(SIGKILL) : pause();
}

static void expect_leaver(const char *text, pid_t leaver)
{
    struct cb_event event;
    cr_assert_eq(next(&event), 0);
    cr_assert_str_eq(event.text, text);
    cr_assert(event.pid == (uint32_t)leaver && event.uid == UINT32_MAX && !event.filled, "pid %u", event.pid);
    cr_assert_str_eq(event.command, "leaver");
}

/* The process that says nothing any more, not the daemon, which saw it. */
Test(watch, names_those_whose_calls_were_left)
{
    bool dies = true, hangs = false;
    cb_breaker *breaker = breaker_of("b", "failure_threshold=1 call_timeout=200ms");
    open_watch("b");
    expect_leaver("open: 1 consecutive failure, abandoned (threshold 1)", fork_child(leave_a_call, &dies));
    cr_assert_eq(cb_reset(breaker, NULL), 0);
    expect_next("b", "closed: reset by an operator");
    expect_leaver("open: 1 consecutive failure, overdue (threshold 1)", fork_child(leave_a_call, &hangs));
}

Test(watch, one_breaker_alone_begins_now_and_may_come_later)
{
    cr_assert_eq(cb_trip(breaker_of("other", NULL), NULL), 0);
    cr_assert_eq(cb_watch_open(registry, "no name", &watch), CB_ENAME);
    open_watch("later");
    cr_assert_eq(cb_reset(breaker_of("other", NULL), NULL), 0);
    cr_assert_eq(cb_trip(breaker_of("later", NULL), NULL), 0);
    expect_next("later", "created");
    expect_next("later", "open: tripped by an operator");
    cr_assert_eq(cb_remove(breaker_of("later", NULL), "done"), 0);
    expect_next("later", "removed");
    expect_none();
}

/* ---- a slow reader ---- */

#define ROUNDS 1100u /* a trip and a reset each: more than the ring keeps */
#define KEPT   2047u

Test(watch, a_reader_that_stopped_is_told_what_it_missed)
{
    struct cb_event event;
    cb_breaker *breaker = breaker_of("b", NULL);
    open_watch(NULL);
    for (unsigned i = 0; i < ROUNDS; i++)
        cr_assert(cb_trip(breaker, NULL) == 0 && cb_reset(breaker, NULL) == 0);
    cr_assert_eq(next(&event), CB_MISSED);
    cr_assert_eq(event.value, 2 * ROUNDS - KEPT);
    cr_assert(strcmp(event.cause, "missed") == 0 && event.from == -1 && event.to == -1);
    for (uint64_t sequence = 2 + 2 * ROUNDS - KEPT; sequence <= 1 + 2 * ROUNDS; sequence++) {
        cr_assert_eq(next(&event), 0);
        cr_assert_eq(event.sequence, sequence);
    }
    expect_none();
    cr_assert_eq(cb_watch_connected(watch), 1, "wakes that it did not read cost it nothing");
}

static void keep_all_open(void *unused)
{
    (void)unused;
    pause();
}

/* It has the connection too: that it is at its end is news once. */
Test(watch, a_forked_child_does_not_keep_it_awake)
{
    struct cb_event event;
    struct pollfd ready;
    unsigned wakes = 0;
    open_watch(NULL);
    fork_child(keep_all_open, NULL);
    daemon_kill(&server);
    for (uint64_t until = now_ms() + HARNESS_DEADLINE_MS; cb_watch_connected(watch) && now_ms() < until;
         poll(NULL, 0, 1))
        cr_assert_eq(cb_watch_next(watch, &event, sizeof event), -EAGAIN);
    ready = (struct pollfd){cb_watch_fd(watch), POLLIN, 0};
    for (uint64_t until = now_ms() + 600; now_ms() < until; wakes++) {
        poll(&ready, 1, 600);
        cr_assert_eq(cb_watch_next(watch, &event, sizeof event), -EAGAIN);
    }
    cr_assert_leq(wakes, 8, "%u times in 600 ms", wakes);
}

/* ---- the daemon goes and comes back ---- */

#define WORKERS               4u
#define NAME_OF(name, worker) snprintf(name, sizeof name, "worker-%u", worker)

static volatile int *workers_end; /* shared */

static void work(void *arg)
{
    unsigned worker = *(unsigned *)arg;
    char name[16];
    cb_registry *own;
    cb_breaker *breaker;
    NAME_OF(name, worker);
    child_check(cb_attach(server.registry, &own) == 0 && cb_get(own, name, &breaker) == 0);
    while (!*workers_end) {
        cb_permit permit;
        if (cb_acquire(breaker, &permit) == CB_ADMITTED)
            rand() % 2 ? cb_success(&permit) : cb_failure(&permit);
        else
            poll(NULL, 0, 1);
    }
    cb_detach(&own);
}

/* What one reader has seen of each worker's breaker. */
struct sight {
    uint64_t transitions[WORKERS];
    int32_t state[WORKERS];
};

static int see(const struct cb_event *event, void *arg)
{
    struct sight *sight = arg;
    unsigned worker;
    if (sscanf(event->name, "worker-%u", &worker) != 1 || strcmp(event->cause, "created") == 0)
        return 0;
    cr_assert_eq(event->filled, 0, "%s", event->text);
    cr_assert_eq(event->from, sight->state[worker], "%s comes out of turn, number %u", event->text,
                 (unsigned)event->sequence);
    sight->state[worker] = event->to;
    sight->transitions[worker]++;
    return 0;
}

static void watch_for(struct sight *sight, unsigned ms)
{
    struct pollfd ready = {cb_watch_fd(watch), POLLIN, 0};
    for (uint64_t until = now_ms() + ms; now_ms() < until; poll(&ready, 1, 10)) {
        struct cb_event event;
        int code;
        while ((code = cb_watch_next(watch, &event, sizeof event)) == 0)
            see(&event, sight);
        cr_assert_eq(code, -EAGAIN, "%d: %s", code, event.text);
    }
}

static bool has_seen_all(const struct sight *sight)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct cb_snapshot counts;
        char name[16];
        NAME_OF(name, i);
        cr_assert_eq(cb_snapshot_of(breaker_of(name, NULL), &counts, sizeof counts), 0);
        cr_assert_leq(sight->transitions[i], counts.transitions, "%s: something came twice", name);
        if (sight->transitions[i] < counts.transitions)
            return false;
    }
    return true;
}

static void expect_to_see_all(struct sight *sight, const char *when)
{
    uint64_t deadline = now_ms() + HARNESS_DEADLINE_MS;
    while (!has_seen_all(sight) && now_ms() < deadline)
        watch_for(sight, 20);
    cr_assert(has_seen_all(sight), "%s: something is lost", when);
}

Test(watch, nothing_is_lost_and_nothing_comes_twice_when_the_daemon_is_killed)
{
    struct sight watched = {{0}, {0}}, read = {{0}, {0}};
    unsigned numbers[WORKERS];
    pid_t workers[WORKERS];
    workers_end = mmap(NULL, sizeof *workers_end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    open_watch(NULL);
    for (unsigned i = 0; i < WORKERS; i++) {
        char name[16];
        NAME_OF(name, i);
        breaker_of(name, "failure_threshold=1 open_timeout=10ms");
        numbers[i] = i;
        workers[i] = fork_child(work, &numbers[i]);
    }
    watch_for(&watched, 200);
    for (int round = 0; round < 3; round++) {
        daemon_kill(&server);
        watch_for(&watched, 150);
        cr_assert_eq(cb_watch_connected(watch), 0);
        daemon_restart(&server);
        watch_for(&watched, 300);
        cr_assert_eq(cb_watch_connected(watch), 1);
    }
    *workers_end = 1;
    for (unsigned i = 0; i < WORKERS; i++)
        cr_assert_eq(child_wait(workers[i]), 0);
    expect_to_see_all(&watched, "watched");
    cr_assert_eq(cb_history(registry, NULL, see, &read), 0);
    cr_assert(has_seen_all(&read) && watched.transitions[0] > 10, "the history has them all, too");
    munmap((void *)workers_end, sizeof *workers_end);
}

/* Only what comes while the daemon is away has no number. */
Test(watch, numbers_grow_by_one_while_the_daemon_runs)
{
    struct cb_event event;
    uint64_t last = 0;
    cb_breaker *breaker = breaker_of("b", "failure_threshold=1 open_timeout=1ms");
    open_watch("b");
    for (uint64_t until = now_ms() + 2500; now_ms() < until;) {
        fail_once(breaker);
        int code = cb_watch_next(watch, &event, sizeof event);
        if (code == 0) {
            cr_assert(event.sequence == last + 1 || last == 0, "%u behind %u: %s", (unsigned)event.sequence,
                      (unsigned)last, event.text);
            last = event.sequence;
        }
        poll(NULL, 0, 1);
    }
    cr_assert_gt(last, 100);
}

Test(watch, goes_on_without_a_daemon)
{
    cb_breaker *breaker = breaker_of("b", "failure_threshold=1");
    struct cb_event event;
    open_watch("b");
    daemon_kill(&server);
    fail_once(breaker);
    cr_assert_eq(next(&event), 0);
    cr_assert(event.sequence == 0 && event.to == CB_OPEN, "it has no number yet");
    cr_assert_eq(cb_watch_connected(watch), 0);
    daemon_restart(&server);
    cr_assert_eq(cb_reset(breaker, NULL), 0);
    expect_next("b", "closed: reset by an operator");
}

Test(watch, a_stopped_daemon_holds_nothing_back)
{
    cb_breaker *breaker = breaker_of("b", "failure_threshold=1");
    open_watch("b");
    kill(server.pid, SIGSTOP);
    fail_once(breaker);
    expect_next("b", "open: 1 consecutive failure (threshold 1)");
    kill(server.pid, SIGCONT);
    cr_assert_eq(cb_reset(breaker, NULL), 0);
    expect_next("b", "closed: reset by an operator");
}

static void *create_another(void *unused)
{
    cb_breaker *another;
    cb_get_or_create(registry, "another", NULL, &another);
    return unused;
}

Test(watch, waits_for_no_other_thread_that_waits_for_the_daemon)
{
    struct cb_event event;
    pthread_t thread;
    open_watch(NULL);
    kill(server.pid, SIGSTOP);
    pthread_create(&thread, NULL, create_another, NULL);
    for (uint64_t begun = now_ms(), before = begun; before - begun < 1500; poll(NULL, 0, 10)) {
        cb_watch_next(watch, &event, sizeof event);
        cr_expect_lt(now_ms() - before, 1000);
        before = now_ms();
    }
    kill(server.pid, SIGCONT);
    pthread_join(thread, NULL);
}

Test(watch, follows_a_registry_that_is_replaced)
{
    open_watch(NULL);
    daemon_kill(&server);
    free(server.extra[1]);
    server.extra[1] = strdup("32");
    daemon_restart(&server);
    cr_assert_eq(cb_trip(breaker_of("new", NULL), "anew"), 0);
    expect_next("new", "created");
    expect_next("new", "open: tripped by an operator");
}

Test(watch, waits_for_a_registry_to_come)
{
    struct daemon later;
    char name[64];
    snprintf(name, sizeof name, "test-%d-1", (int)getpid()); /* the next one's */
    cb_detach(&registry);
    cr_assert_eq(cb_attach(name, &registry), CB_ENODAEMON);
    cr_assert_eq(cb_watch_open(registry, NULL, &watch), 0, "%s", cb_last_error());
    cr_assert_eq(cb_watch_connected(watch), 0);
    expect_none();
    daemon_start(&later, "--capacity", "16", (char *)NULL);
    cr_assert_str_eq(later.registry, name);
    breaker_of("b", NULL);
    expect_next("b", "created");
    daemon_stop(&later);
}

/* ---- forks ---- */

static void child_of_a_watcher(void *arg)
{
    struct cb_event event;
    (void)arg;
    child_check(cb_watch_next(watch, &event, sizeof event) == CB_ENOTMINE);
    cb_watch_close(&watch);
}

Test(watch, belongs_to_its_process)
{
    open_watch(NULL);
    cr_assert_eq(child_wait(fork_child(child_of_a_watcher, NULL)), 0);
    breaker_of("b", NULL);
    expect_next("b", "created");
    cr_assert_eq(cb_watch_connected(watch), 1, "the child has closed its own copy");
}

/* ---- what nobody wrote down ---- */

static cb_breaker *stepped;

static void prepare_worker(void)
{
    cb_registry *own;
    if (cb_attach(server.registry, &own) != 0 || cb_get(own, "b", &stepped) != 0)
        _exit(1);
}

static void trip_it(void)
{
    fail_once(stepped);
}

static int keep_last(const struct cb_event *event, void *arg)
{
    *(struct cb_event *)arg = *event;
    return 0;
}

/* Right behind its compare-and-swap, before it has noted it. */
static void kill_between_gate_and_note(void)
{
    struct segment segment;
    struct stepper worker;
    char error[SEGMENT_ERROR_SIZE];
    cr_assert_eq(segment_open(server.registry, false, &segment, error), 0, "%s", error);
    stepper_start(&worker, prepare_worker, trip_it);
    while (gate_state(atomic_load(&segment_slot(&segment, 0)->gate)) == STATE_CLOSED)
        cr_assert(stepper_step(&worker), "it has not tripped");
    stepper_kill(&worker);
    segment_close(&segment);
}

Test(watch, what_a_killed_worker_could_not_write_down_is_filled_in)
{
    struct cb_event event;
    breaker_of("b", "failure_threshold=1");
    open_watch("b");
    kill_between_gate_and_note();
    cr_assert_eq(next(&event), 0);
    cr_assert_eq(event.filled, 1);
    cr_assert(event.from == CB_CLOSED && event.to == CB_OPEN && event.pid == 0, "%s", event.text);
    cr_assert_str_eq(event.cause, "lost with its writer");
    cr_assert_eq(cb_reset(breaker_of("b", NULL), NULL), 0);
    expect_next("b", "closed: reset by an operator");
}

Test(watch, a_history_fills_in_without_a_daemon)
{
    struct cb_event event;
    breaker_of("b", "failure_threshold=1");
    daemon_kill(&server);
    kill_between_gate_and_note();
    cr_assert_eq(cb_history(registry, "b", keep_last, &event), 0);
    cr_assert(event.filled && event.to == CB_OPEN, "%s", event.text);
    daemon_restart(&server);
}

/* ---- names that are gone ---- */

Test(watch, a_removed_breaker_keeps_its_history)
{
    struct cb_event event = {.name = ""};
    cr_assert_eq(cb_trip(breaker_of("gone", NULL), "before"), 0);
    cr_assert_eq(cb_remove(breaker_of("gone", NULL), "not needed"), 0);
    daemon_kill(&server);
    daemon_restart(&server);
    cr_assert_eq(cb_history(registry, "gone", keep_last, &event), 0, "%s", cb_last_error());
    cr_assert(strcmp(event.name, "gone") == 0 && strcmp(event.reason, "not needed") == 0);
    cr_assert_eq(cb_history(registry, "never", keep_last, &event), CB_ENOTFOUND);
    cr_assert_eq(cb_history(registry, "no name", keep_last, &event), CB_ENAME);
}
