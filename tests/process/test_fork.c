/* Every way to make a process: each child has calls of its own, and its parent's stay its parent's. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cbclient.h"
#include "tests/process/await.h"

#define CHILDREN 200
#define CALLS    50

static struct daemon host;
static cb_registry *registry;
static cb_breaker *breaker;
static cb_permit parents; /* in flight while children are made */
static struct shared {
    _Atomic int calling, go, stop;
} * shared;

static void begin(void)
{
    daemon_start(&host, NULL);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(cb_get_or_create(registry, "dependency", "failure_threshold=1000000", &breaker), 0);
}

static void end(void)
{
    cb_detach(&registry);
    munmap(shared, sizeof *shared);
    daemon_stop(&host);
}

TestSuite(fork, .init = begin, .fini = end);

static struct cb_snapshot counts(void)
{
    struct cb_snapshot snapshot;
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot), 0);
    return snapshot;
}

static int count_worker(const struct cb_worker *worker, void *arg)
{
    (void)worker;
    ++*(int *)arg;
    return 0;
}

static int workers(void)
{
    int count = 0;
    cr_assert_eq(cb_list_workers(registry, count_worker, &count), 0);
    return count;
}

/* What a child finds, whatever made it: its parent's permit is not its own, and it has calls. */
static int lives(void)
{
    cb_permit mine, copy = parents;
    return cb_failure(&copy) == CB_ENOTMINE && cb_acquire(breaker, &mine) == CB_ADMITTED && cb_success(&mine) == 0;
}

/* The parent's side: its call is still in flight, and its own. */
static void parent_goes_on(uint64_t successes)
{
    wait_until(workers() == 1);
    cr_expect_eq(counts().in_flight, 1);
    cr_expect_eq(counts().successes, successes);
    cr_expect_eq(counts().failures, 0);
    cr_expect_eq(counts().abandoned, 0);
    cr_expect_eq(cb_success(&parents), 0);
    cr_expect_eq(counts().in_flight, 0);
}

static void ended_well(pid_t child, int flags)
{
    int status = -1;
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &status, flags), child);
    cr_expect_eq(status, 0);
}

Test(fork, a_child_of_a_child)
{
    cr_assert_eq(cb_acquire(breaker, &parents), CB_ADMITTED);
    pid_t child = fork();
    if (child == 0) {
        int well = lives() && cb_acquire(breaker, &parents) == CB_ADMITTED; /* now the child's, in flight */
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(lives() ? 0 : 1);
        int status = -1;
        well = well && waitpid(grandchild, &status, 0) == grandchild && status == 0;
        _exit(well && cb_success(&parents) == 0 ? 0 : 1);
    }
    ended_well(child, 0);
    parent_goes_on(3);
}

Test(fork, a_child_made_without_handlers)
{
    cr_assert_eq(cb_acquire(breaker, &parents), CB_ADMITTED);
    pid_t child = _Fork();
    if (child == 0)
        _exit(lives() ? 0 : 1);
    ended_well(child, 0);
    parent_goes_on(1);
}

Test(fork, a_child_made_by_the_system_call_without_a_signal_at_its_end)
{
    cr_assert_eq(cb_acquire(breaker, &parents), CB_ADMITTED);
    pid_t child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (child == 0)
        _exit(lives() ? 0 : 1);
    ended_well(child, __WALL);
    parent_goes_on(1);
}

Test(fork, a_program_that_is_spawned)
{
    char *const program[] = {(char[]){"true"}, NULL};
    pid_t child;
    cr_assert_eq(cb_acquire(breaker, &parents), CB_ADMITTED);
    cr_assert_eq(posix_spawnp(&child, "true", NULL, NULL, program, environ), 0);
    ended_well(child, 0);
    parent_goes_on(0);
}

/* ---- a prefork master ---- */

static void calls_and_holds_one(void *arg)
{
    cb_permit permit;
    (void)arg;
    while (!shared->go)
        poll(NULL, 0, 1);
    for (int i = 0; i < CALLS; i++) {
        child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
        child_check((i % 2 ? cb_success(&permit) : cb_failure(&permit)) == 0);
    }
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
    shared->calling++;
    while (!shared->stop)
        poll(NULL, 0, 1);
    child_check(cb_success(&permit) == 0);
}

/* None has called before they are all there: they take their places at once, of their own accord. */
Test(fork, two_hundred_children_of_a_prefork_master)
{
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = fork_child(calls_and_holds_one, NULL);
    cr_expect_eq(workers(), 1, "the master");
    shared->go = 1;
    wait_until(shared->calling == CHILDREN);
    cr_expect_eq(workers(), 1 + CHILDREN);
    cr_expect_eq(counts().in_flight, CHILDREN);
    for (int i = 0; i < CHILDREN / 2; i++)
        kill(children[i], SIGKILL);
    wait_until(counts().abandoned == CHILDREN / 2);
    shared->stop = 1;
    for (int i = 0; i < CHILDREN; i++)
        cr_expect_eq(child_wait(children[i]), i < CHILDREN / 2 ? 128 + SIGKILL : 0);
    wait_until(workers() == 1);
    cr_expect_eq(counts().successes, CHILDREN * CALLS / 2 + CHILDREN / 2);
    cr_expect_eq(counts().failures, CHILDREN * CALLS / 2);
    cr_expect_eq(counts().abandoned, CHILDREN / 2);
    cr_expect_eq(counts().in_flight, 0);
}
