/* Who is not dead, though it may look so. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/process/proof.h"

TestSuite(not_dead, .init = proof_begin, .fini = proof_end);

/* Stopped for longer than anybody waits for anything. */
Test(not_dead, a_stopped_process_is_not_dead)
{
    int status;
    pid_t child = child_at(hangs, 1);
    kill(child, SIGSTOP);
    cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
    still_in_flight();
    child_ends(child);
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

Test(not_dead, a_frozen_process_is_not_dead)
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
    child_ends(child);
    if (freezer)
        wait_until(rmdir(folder) == 0);
    abandoned_once();
}

static void *goes_on(void *arg)
{
    (void)arg;
    reached(1);
    while (proof->at < 2)
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

Test(not_dead, a_process_whose_first_thread_has_ended_is_not_dead)
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

Test(not_dead, a_process_that_has_closed_all_its_descriptors_is_not_dead)
{
    pid_t child = child_at(closes_everything, 1);
    still_in_flight();
    child_ends(child);
    abandoned_once();
}

static void starts_programs(void *arg)
{
    char *const program[] = {(char[]){"true"}, NULL};
    pid_t spawned;
    (void)arg;
    call_begins();
    for (int i = 0; i < 10; i++) {
        child_check(posix_spawnp(&spawned, "true", NULL, NULL, program, environ) == 0);
        child_check(waitpid(spawned, NULL, 0) == spawned);
    }
    reached(1);
    pause();
}

Test(not_dead, a_process_that_starts_other_programs_is_not_dead)
{
    pid_t child = child_at(starts_programs, 1);
    still_in_flight();
    child_ends(child);
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

Test(not_dead, a_process_that_comes_and_goes_is_never_taken_for_dead)
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

Test(not_dead, a_process_of_another_pid_namespace_keeps_to_itself)
{
    cr_expect_eq(child_wait(fork_child(lives_in_a_namespace, NULL)), 0);
    if (proof->at != 1)
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
        while (proof->at < 2)
            poll(NULL, 0, 1);
        child_check(cb_success(&permit) == 0);
        _exit(0);
    }
    proof->grandchild = first;
    int status;
    child_check(waitpid(first, &status, 0) == first && status == 0);
}

/* It has its parent's mapping, but its number there is another process's here: nobody could tell when it dies, so it does
 * not say that it lives. */
Test(not_dead, a_workers_child_in_another_pid_namespace_goes_untracked)
{
    pid_t child = fork_child(calls_in_its_namespace, NULL);
    wait_until(proof->at == 1 || kill(child, 0) != 0 || geteuid() != 0);
    if (proof->at == 1) {
        daemon_goes_round();
        cr_expect_eq(counts().in_flight, 0);
        reached(2);
    }
    cr_expect_eq(child_wait(child), 0);
    proof->grandchild = 0;
    cr_expect_eq(counts().abandoned, 0);
    cr_expect_eq(counts().successes, proof->at == 2);
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

Test(not_dead, who_cannot_have_a_guard_is_settled_when_it_ends)
{
    if (geteuid() != 0) {
        cr_log_warn("needs root");
        return;
    }
    pid_t child = child_at(lives_in_a_root_of_its_own, 1);
    child_wait(child);
    abandoned_once();
}
