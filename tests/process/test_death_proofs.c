/* Who is dead: whom the kernel says so of, and nobody else. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cbclient.h"
#include "tests/process/await.h"

#define TURNS 10 /* of the daemon: what it would do it has done by then */

static struct daemon host;
static cb_registry *registry;
static cb_breaker *breaker;
static struct shared {
    _Atomic int at; /* how far the child has come */
    _Atomic pid_t grandchild;
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
    if (shared->grandchild > 0)
        kill(shared->grandchild, SIGKILL);
    cb_detach(&registry);
    munmap(shared, sizeof *shared);
    daemon_stop(&host);
}

TestSuite(death_proofs, .init = begin, .fini = end);

static struct cb_snapshot counts(void)
{
    struct cb_snapshot snapshot;
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot), 0);
    return snapshot;
}

/* The daemon has gone round often enough: it counted so many calls of ours as overdue, one after the other. */
static void daemon_goes_round(void)
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

static void still_in_flight(void)
{
    daemon_goes_round();
    cr_expect_eq(counts().in_flight, 1);
    cr_expect_eq(counts().abandoned, 0);
}

static void abandoned_once(void)
{
    wait_until(counts().abandoned == 1);
    daemon_goes_round();
    cr_expect_eq(counts().abandoned, 1);
    cr_expect_eq(counts().in_flight, 0);
}

static void call_begins(void)
{
    static cb_registry *own;
    static cb_breaker *called;
    static cb_permit permit;
    child_check(cb_attach(host.registry, &own) == 0);
    child_check(cb_get(own, "dependency", &called) == 0);
    child_check(cb_acquire(called, &permit) == CB_ADMITTED);
}

static void reached(int at)
{
    shared->at = at;
}

static void hangs(void *arg)
{
    (void)arg;
    call_begins();
    reached(1);
    pause();
}

static pid_t child_at(void (*does)(void *), int at)
{
    pid_t child = fork_child(does, NULL);
    wait_until(shared->at == at);
    return child;
}

/* ---- dead ---- */

Test(death_proofs, a_zombie_is_dead)
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
    shared->grandchild = grandchild;
    reached(1);
    raise(SIGKILL);
}

Test(death_proofs, children_do_not_keep_a_dead_parent_alive)
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
    shared->grandchild = grandchild;
    reached(1);
    execlp("sleep", "sleep", "60", (char *)NULL);
}

Test(death_proofs, nor_does_a_program_that_follows_in_the_same_process)
{
    pid_t child = child_at(execs_with_children, 1);
    abandoned_once();
    cr_expect_eq(kill(child, 0), 0, "its process lives on");
    kill(child, SIGKILL);
    child_wait(child);
    shared->grandchild = 0; /* went with it */
}

static void execs_a_user(void *arg)
{
    (void)arg;
    call_begins();
    reached(1);
    setenv("CB_REGISTRY", host.registry, 1);
    execl(CBCTL_PATH, CBCTL_PATH, "run", "dependency", "--", "sleep", "60", (char *)NULL);
}

Test(death_proofs, the_program_that_follows_has_calls_of_its_own)
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

Test(death_proofs, an_exec_while_the_daemon_is_away_is_found_out)
{
    daemon_kill(&host);
    pid_t child = child_at(execs_with_children, 1);
    daemon_restart(&host);
    abandoned_once();
    kill(child, SIGKILL);
    child_wait(child);
    shared->grandchild = 0;
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
        kill(child, SIGKILL);
        child_wait(child);
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
    kill(child, SIGKILL);
    child_wait(child);
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
    kill(heir, SIGKILL);
    child_wait(heir);
}

Test(death_proofs, another_process_with_the_same_number_is_not_the_same)
{
    has_an_heir(hangs);
}

Test(death_proofs, nor_is_it_where_there_was_no_guard)
{
    has_an_heir(hangs_without_rights);
}

/* ---- not dead ---- */

/* Stopped for longer than anybody waits for anything. */
Test(death_proofs, a_stopped_process_is_not_dead)
{
    int status;
    pid_t child = child_at(hangs, 1);
    kill(child, SIGSTOP);
    cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
    still_in_flight();
    kill(child, SIGKILL);
    child_wait(child);
    abandoned_once();
}

static int write_to(const char *folder, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *out = fopen(path, "w");
    int done = out && fputs(text, out) >= 0;
    return out && fclose(out) == 0 && done;
}

static int reads(const char *folder, const char *file, const char *text)
{
    char path[256], line[64] = "";
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *in = fopen(path, "r");
    int found = 0;
    while (in && !found && fgets(line, sizeof line, in))
        found = strncmp(line, text, strlen(text)) == 0;
    if (in)
        fclose(in);
    return found;
}

/* Either kind of control group, where there is one. */
static const struct freezer {
    const char *parent, *state, *freeze, *thaw, *shows, *frozen;
} freezers[] = {
    {"/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED", "freezer.state", "FROZEN"},
    {"/sys/fs/cgroup", "cgroup.freeze", "1", "0", "cgroup.events", "frozen 1"},
};

static const struct freezer *freezer_make(char folder[128], pid_t pid)
{
    char text[16];
    snprintf(text, sizeof text, "%d", (int)pid);
    for (size_t i = 0; i < sizeof freezers / sizeof *freezers; i++) {
        snprintf(folder, 128, "%s/registryd-test-%d", freezers[i].parent, (int)getpid());
        if (mkdir(folder, 0700) != 0)
            continue;
        if (access(folder, W_OK) == 0 && write_to(folder, "cgroup.procs", text) &&
            write_to(folder, freezers[i].state, freezers[i].freeze))
            return &freezers[i];
        rmdir(folder);
    }
    return NULL;
}

Test(death_proofs, a_frozen_process_is_not_dead)
{
    char folder[128];
    pid_t child = child_at(hangs, 1);
    const struct freezer *freezer = freezer_make(folder, child);
    if (freezer) {
        wait_until(reads(folder, freezer->shows, freezer->frozen));
        still_in_flight();
        write_to(folder, freezer->state, freezer->thaw);
    } else {
        cr_log_warn("no control group can be made here to freeze a process in");
    }
    kill(child, SIGKILL);
    child_wait(child);
    if (freezer)
        wait_until(rmdir(folder) == 0);
    abandoned_once();
}

static void *goes_on(void *arg)
{
    (void)arg;
    reached(1);
    while (shared->at < 2)
        poll(NULL, 0, 1);
    _exit(0); /* with its call in flight */
}

static void main_thread_leaves(void *arg)
{
    pthread_t thread;
    (void)arg;
    call_begins();
    child_check(pthread_create(&thread, NULL, goes_on, NULL) == 0);
    pthread_exit(NULL);
}

Test(death_proofs, a_process_whose_first_thread_has_ended_is_not_dead)
{
    pid_t child = child_at(main_thread_leaves, 1);
    still_in_flight();
    reached(2);
    cr_expect_eq(child_wait(child), 0);
    abandoned_once();
}

static void closes_everything(void *arg)
{
    (void)arg;
    call_begins();
    child_check(close_range(3, ~0u, 0) == 0); /* as daemons do */
    reached(1);
    pause();
}

Test(death_proofs, a_process_that_has_closed_all_its_descriptors_is_not_dead)
{
    pid_t child = child_at(closes_everything, 1);
    still_in_flight();
    kill(child, SIGKILL);
    child_wait(child);
    abandoned_once();
}

extern char **environ;

static void starts_programs(void *arg)
{
    char *const program[] = {(char[]){"true"}, NULL};
    pid_t spawned;
    (void)arg;
    call_begins();
    for (int i = 0; i < 10; i++) {
        child_check(posix_spawnp(&spawned, "true", NULL, NULL, program, environ) == 0);
        child_check(waitpid(spawned, NULL, 0) == spawned);
        child_check(system("true") == 0);
    }
    reached(1);
    pause();
}

Test(death_proofs, a_process_that_starts_other_programs_is_not_dead)
{
    pid_t child = child_at(starts_programs, 1);
    still_in_flight();
    kill(child, SIGKILL);
    child_wait(child);
    abandoned_once();
}

static int mappings(void)
{
    char line[512];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        count += strstr(line, host.registry) != NULL;
    if (maps)
        fclose(maps);
    return count;
}

/* Comes back before its guard is looked at: every time with the same number, and the same record. */
static void comes_and_goes(void *arg)
{
    cb_registry *own;
    cb_breaker *called;
    cb_permit permit;
    int before = mappings();
    (void)arg;
    for (int i = 0; i < 300; i++) {
        child_check(cb_attach(host.registry, &own) == 0);
        child_check(cb_get(own, "dependency", &called) == 0);
        child_check(cb_acquire(called, &permit) == CB_ADMITTED);
        child_check(cb_success(&permit) == 0);
        cb_detach(&own);
    }
    child_check(mappings() == before);
}

Test(death_proofs, a_process_that_comes_and_goes_is_never_taken_for_dead)
{
    pid_t child = fork_child(comes_and_goes, NULL);
    cr_expect_eq(child_wait(child), 0);
    daemon_goes_round();
    cr_expect_eq(counts().successes, 300);
    cr_expect_eq(counts().abandoned, 0);
}

/* ---- somewhere else ---- */

static void attaches_in_its_namespace(void)
{
    cb_registry *own;
    cb_breaker *called;
    cb_permit permit;
    child_check(cb_attach(host.registry, &own) == CB_ENAMESPACE);
    child_check(strstr(cb_last_error(), "PID namespace") != NULL);
    child_check(cb_get_or_create(own, "dependency", NULL, &called) == 0);
    child_check(cb_acquire(called, &permit) == CB_ADMITTED && cb_success(&permit) == 0);
    child_check(!cb_is_shared(own));
}

static void lives_in_a_namespace(void *arg)
{
    (void)arg;
    if (unshare(CLONE_NEWPID) != 0)
        return;
    pid_t first = fork();
    if (first == 0) {
        attaches_in_its_namespace();
        reached(1);
        _exit(0);
    }
    int status;
    child_check(waitpid(first, &status, 0) == first && status == 0);
}

Test(death_proofs, a_process_of_another_pid_namespace_keeps_to_itself)
{
    cr_expect_eq(child_wait(fork_child(lives_in_a_namespace, NULL)), 0);
    if (shared->at != 1)
        cr_log_warn("no PID namespace can be made here: needs root");
    cr_expect_eq(counts().successes, 0, "private");
}

static void calls_in_its_namespace(void *arg)
{
    (void)arg;
    if (unshare(CLONE_NEWPID) != 0)
        return;
    pid_t first = fork();
    if (first == 0) {
        cb_permit permit;
        child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
        reached(1);
        while (shared->at < 2)
            poll(NULL, 0, 1);
        child_check(cb_success(&permit) == 0);
        _exit(0);
    }
    shared->grandchild = first;
    int status;
    child_check(waitpid(first, &status, 0) == first && status == 0);
}

/* It has its parent's mapping, but its number there is another process's here: nobody could tell when it dies, so it does
 * not say that it lives. */
Test(death_proofs, a_workers_child_in_another_pid_namespace_goes_untracked)
{
    pid_t child = fork_child(calls_in_its_namespace, NULL);
    wait_until(shared->at == 1 || kill(child, 0) != 0 || geteuid() != 0);
    if (shared->at == 1) {
        daemon_goes_round();
        cr_expect_eq(counts().in_flight, 0);
        reached(2);
    }
    cr_expect_eq(child_wait(child), 0);
    shared->grandchild = 0;
    cr_expect_eq(counts().abandoned, 0);
    cr_expect_eq(counts().successes, shared->at == 2);
}

static void lives_in_a_root_of_its_own(void *arg)
{
    cb_permit permit;
    (void)arg;
    child_check(chroot("/proc/self/fdinfo") == 0 && chdir("/") == 0); /* nothing can be opened any more */
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
    reached(1);
    raise(SIGKILL);
}

Test(death_proofs, who_cannot_have_a_guard_is_settled_when_it_ends)
{
    if (geteuid() != 0) {
        cr_log_warn("needs root");
        return;
    }
    pid_t child = child_at(lives_in_a_root_of_its_own, 1);
    child_wait(child);
    abandoned_once();
}
