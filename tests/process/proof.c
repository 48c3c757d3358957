#include "tests/process/proof.h"

#include <signal.h>
#include <sys/mman.h>

#define TURNS 10 /* of the daemon: what it would do it has done by then */

struct proof *proof;
struct daemon host;
cb_registry *registry;
cb_breaker *breaker;

void proof_begin(void)
{
    daemon_start(&host, NULL);
    proof = mmap(NULL, sizeof *proof, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(cb_get_or_create(registry, "dependency", "failure_threshold=1000000", &breaker), 0);
}

void proof_end(void)
{
    if (proof->grandchild > 0)
        kill(proof->grandchild, SIGKILL);
    cb_detach(&registry);
    munmap(proof, sizeof *proof);
    daemon_stop(&host);
}

struct cb_snapshot counts(void)
{
    struct cb_snapshot snapshot;
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot), 0);
    return snapshot;
}

/* It counted so many calls of ours as overdue, one after the other. */
void daemon_goes_round(void)
{
    cb_breaker *hanging;
    struct cb_snapshot seen;
    cr_assert_geq(cb_get_or_create(registry, "hanging", "failure_threshold=1000000 call_timeout=1ms", &hanging), 0);
    for (int turn = 0; turn < TURNS; turn++) {
        cb_permit permit;
        cr_assert_eq(cb_snapshot_of(hanging, &seen, sizeof seen), 0);
        uint64_t before = seen.overdue;
        cr_assert_eq(cb_acquire(hanging, &permit), CB_ADMITTED);
        wait_until(cb_snapshot_of(hanging, &seen, sizeof seen) == 0 && seen.overdue > before);
        cb_failure(&permit);
    }
}

void still_in_flight(void)
{
    daemon_goes_round();
    cr_expect_eq(counts().in_flight, 1);
    cr_expect_eq(counts().abandoned, 0);
}

void abandoned_once(void)
{
    wait_until(counts().abandoned == 1);
    daemon_goes_round();
    cr_expect_eq(counts().abandoned, 1);
    cr_expect_eq(counts().in_flight, 0);
}

void call_begins(void)
{
    static cb_registry *own;
    static cb_breaker *called;
    static cb_permit permit;
    child_check(cb_attach(host.registry, &own) == 0);
    child_check(cb_get(own, "dependency", &called) == 0);
    child_check(cb_acquire(called, &permit) == CB_ADMITTED);
}

void reached(int at)
{
    proof->at = at;
}

void hangs(void *unused)
{
    (void)unused;
    call_begins();
    reached(1);
    pause();
}

pid_t child_at(void (*does)(void *), int at)
{
    pid_t child = fork_child(does, NULL);
    wait_until(proof->at == at);
    return child;
}

void child_ends(pid_t child)
{
    kill(child, SIGKILL);
    child_wait(child);
}
