/* Who is dead: whom the kernel says so of, however that came, and whatever is left of it. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/process/proof.h"

TestSuite(dead, .init = proof_begin, .fini = proof_end);

Test(dead, a_zombie_is_dead)
{
    siginfo_t info;
    pid_t child = child_at(hangs, 1);
    kill(child, SIGKILL);
    cr_assert_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0); /* nobody has waited for it yet */
    abandoned_once();
    child_wait(child);
}

static void leaves_children(void *arg)
{
    (void)arg;
    call_begins();
    pid_t grandchild = fork(); /* has the memory and the connection */
    if (grandchild == 0) {
        prctl(PR_SET_PDEATHSIG, 0);
        for (;;)
            pause();
    }
    proof->grandchild = grandchild;
    reached(1);
    raise(SIGKILL);
}

Test(dead, children_do_not_keep_a_dead_parent_alive)
{
    pid_t child = child_at(leaves_children, 1);
    child_wait(child);
    abandoned_once();
}

static void execs_with_children(void *arg)
{
    (void)arg;
    call_begins();
    pid_t grandchild = fork();
    if (grandchild == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    proof->grandchild = grandchild;
    reached(1);
    execlp("sleep", "sleep", "60", (char *)NULL);
}

Test(dead, nor_does_a_program_that_follows_in_the_same_process)
{
    pid_t child = child_at(execs_with_children, 1);
    abandoned_once();
    cr_expect_eq(kill(child, 0), 0, "its process lives on");
    child_ends(child);
    proof->grandchild = 0; /* went with it */
}

static void execs_a_user(void *arg)
{
    (void)arg;
    call_begins();
    reached(1);
    setenv("CB_REGISTRY", host.registry, 1);
    execl(CBCTL_PATH, CBCTL_PATH, "run", "dependency", "--", "sleep", "60", (char *)NULL);
}

Test(dead, the_program_that_follows_has_calls_of_its_own)
{
    pid_t child = child_at(execs_a_user, 1);
    wait_until(counts().abandoned == 1 && counts().in_flight == 1);
    daemon_goes_round();
    cr_expect_eq(counts().in_flight, 1);
    kill(child, SIGTERM);
    child_wait(child);
    wait_until(counts().in_flight == 0);
    cr_expect_eq(counts().abandoned, 1);
}

Test(dead, an_exec_while_the_daemon_is_away_is_found_out)
{
    daemon_kill(&host);
    pid_t child = child_at(execs_with_children, 1);
    daemon_restart(&host);
    abandoned_once();
    child_ends(child);
    proof->grandchild = 0;
}

/* ---- the same number again ---- */

static int next_pid_is(pid_t pid)
{
    FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
    int done = last && fprintf(last, "%d", (int)pid - 1) > 0;
    return last && fclose(last) == 0 && done;
}

static void waits(void *arg)
{
    (void)arg;
    pause();
}

/* Somebody else may get it first; then once more. */
static pid_t child_with_pid(pid_t pid)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        if (!next_pid_is(pid))
            return 0;
        pid_t child = fork_child(waits, NULL);
        if (child == pid)
            return child;
        child_ends(child);
    }
    return 0;
}

/* Has given up its rights, so it cannot have a guard: its start time alone tells it from its heir. */
static void hangs_without_rights(void *arg)
{
    static cb_permit permit;
    (void)arg;
    child_check(geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
    reached(1);
    pause();
}

static void has_an_heir(void (*hanging)(void *))
{
    pid_t child = child_at(hanging, 1);
    daemon_kill(&host);
    child_ends(child);
    uint64_t tick = now_us() + 30000; /* the kernel counts starts in ticks of 10 ms */
    wait_until(now_us() > tick);
    pid_t heir = child_with_pid(child);
    if (heir == 0) {
        daemon_restart(&host);
        cr_log_warn("no process could be given the number of an earlier one: needs root");
        return;
    }
    daemon_restart(&host);
    abandoned_once();
    cr_expect_eq(kill(heir, 0), 0);
    child_ends(heir);
}

Test(dead, another_process_with_the_same_number_is_not_the_same)
{
    has_an_heir(hangs);
}

Test(dead, nor_is_it_where_there_was_no_guard)
{
    has_an_heir(hangs_without_rights);
}
