/*
 * A daemon that gets no more of something: descriptors, shared memory, a folder to write to. It goes on with what it
 * has, says what is missing, and workers do not notice.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "cbclient.h"
#include "tests/folder.h"
#include "tests/process/wire.h"

/* ---- descriptors ---- */

/* Without those that it opens for a moment, to read about a process. */
static unsigned files_kept(pid_t pid)
{
    unsigned least = process_descriptors(pid);
    for (int i = 0; i < 20; i++) {
        poll(NULL, 0, 3);
        unsigned now = process_descriptors(pid);
        least = now < least ? now : least;
    }
    return least;
}

static void limit_files(const struct daemon *daemon, unsigned most)
{
    struct rlimit limit;
    cr_assert_eq(prlimit(daemon->pid, RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = most;
    cr_assert_eq(prlimit(daemon->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

static double cpu_ms(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    cr_assert(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

/* It must not spin on a socket that stays readable. */
static void expect_idle(const struct daemon *daemon)
{
    enum { LOOK_MS = 400 };
    double before = cpu_ms(daemon->pid);
    poll(NULL, 0, LOOK_MS);
    double used = cpu_ms(daemon->pid) - before;
    cr_expect(used < LOOK_MS / 4.0, "%.0f ms of CPU in %d ms", used, LOOK_MS);
}

static bool answers(int fd)
{
    Cb__Reply *reply = wire_ping(fd);
    bool pong = reply->kind_case == CB__REPLY__KIND_PONG;
    cb__reply__free_unpacked(reply, NULL);
    return pong;
}

Test(daemon_exhausted, without_descriptors_it_turns_peers_away_and_serves_those_it_has)
{
    struct daemon daemon;
    daemon_start(&daemon, NULL);
    int first = wire_open(&daemon);
    cr_assert(answers(first));
    limit_files(&daemon, files_kept(daemon.pid));
    for (int i = 0; i < 200; i++) {
        int fd = wire_open(&daemon);
        Cb__Reply *reply = wire_reply(fd);
        cr_assert(reply && reply->code == -EMFILE && strstr(reply->error, "descriptor"), "peer %d: %s", i,
                  reply ? reply->error : "hung up");
        cb__reply__free_unpacked(reply, NULL);
        cr_assert(answers(first), "peer %d", i);
        close(fd);
    }
    expect_idle(&daemon);
    limit_files(&daemon, 1000);
    int second = wire_open(&daemon);
    cr_expect(answers(second));
    close(first);
    close(second);
    daemon_stop(&daemon);
}

/* Fewer than it has open already: there is no spare one to turn a peer away with either. */
Test(daemon_exhausted, with_fewer_descriptors_than_it_has_it_waits_for_better_times)
{
    struct daemon daemon;
    daemon_start(&daemon, NULL);
    int first = wire_open(&daemon);
    cr_assert(answers(first));
    limit_files(&daemon, 4);
    int second = wire_open(&daemon);
    expect_idle(&daemon);
    cr_expect(answers(first));
    limit_files(&daemon, 1000);
    cr_expect(answers(second));
    close(first);
    close(second);
    daemon_stop(&daemon);
}

static void child_hangs(void *arg)
{
    const struct daemon *daemon = arg;
    cb_registry *registry;
    cb_breaker *breaker;
    cb_permit permit;
    cb_attach(daemon->registry, &registry);
    child_check(cb_get(registry, "a", &breaker) == 0 && cb_acquire(breaker, &permit) == CB_ADMITTED);
    raise(SIGSTOP);
}

/* No descriptor to watch them by: they are looked for again, and found when there are descriptors. */
Test(daemon_exhausted, workers_that_could_not_be_watched_are_settled_later)
{
    enum { WORKERS = 8 };
    struct daemon daemon;
    cb_registry *registry;
    cb_breaker *breaker;
    struct cb_snapshot counts = {0};
    pid_t workers[WORKERS];
    int status;
    daemon_start(&daemon, NULL);
    cr_assert_eq(cb_attach(daemon.registry, &registry), 0);
    cr_assert_eq(cb_get_or_create(registry, "a", "failure_threshold=1000", &breaker), 0);
    limit_files(&daemon, files_kept(daemon.pid));
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = fork_child(child_hangs, &daemon);
        cr_assert(waitpid(workers[i], &status, WUNTRACED) == workers[i] && WIFSTOPPED(status));
    }
    expect_idle(&daemon);
    for (int i = 0; i < WORKERS; i++) {
        kill(workers[i], SIGKILL);
        child_wait(workers[i]);
    }
    limit_files(&daemon, 1000);
    time_t deadline = time(NULL) + HARNESS_DEADLINE_MS / 1000;
    while (counts.abandoned < WORKERS) {
        cr_assert_eq(cb_snapshot_of(breaker, &counts, sizeof counts), 0);
        cr_assert(time(NULL) <= deadline, "%d settled", (int)counts.abandoned);
    }
    cb_detach(&registry);
    daemon_stop(&daemon);
}

/* ---- mounts of our own ---- */

static void mount_shm(const char *size)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/dev/shm", "tmpfs", 0, size) != 0)
        cr_skip_test("needs to mount");
}

Test(daemon_exhausted, shared_memory_that_is_too_small_is_named_and_nothing_is_left)
{
    struct output output;
    char folder[] = "/tmp/registryd-test-XXXXXX";
    mount_shm("size=1m");
    cr_assert(mkdtemp(folder));
    run(&output, REGISTRYD_PATH, "--registry", "test", "--runtime-dir", folder, (char *)NULL);
    cr_expect(output.status == 1 && strstr(output.err, "/dev/shm") && strstr(output.err, "lower the capacity"),
              "%d: %s", output.status, output.err);
    output_free(&output);
    cr_expect(folder_count("/dev/shm") == 0);
    cr_expect(rmdir(folder) == 0, "something is left in the runtime folder");
}

static void fill_up(const char *path)
{
    static const char block[65536];
    FILE *file = fopen(path, "we");
    cr_assert(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, 1, sizeof block, file) == sizeof block)
        continue;
    cr_assert_eq(errno, ENOSPC);
    fclose(file);
}

static void child_calls(void *arg)
{
    const struct daemon *daemon = arg;
    cb_registry *registry;
    cb_breaker *breaker;
    cb_permit permit;
    child_check(cb_attach(daemon->registry, &registry) == 0);
    for (int i = 0; i < 64; i++) {
        char name[32];
        snprintf(name, sizeof name, "breaker-%d", i);
        child_check(cb_get_or_create(registry, name, "window=count:1000 failure_rate_threshold=50", &breaker) == 0);
        child_check(cb_acquire(breaker, &permit) == CB_ADMITTED && cb_failure(&permit) == 0);
    }
    child_check(cb_trip(breaker, "full") == 0 && cb_acquire(breaker, &permit) == CB_REJECTED_OPEN);
    child_check(cb_reset(breaker, "full") == 0);
    cb_detach(&registry);
}

/* All of it was allocated at the start: a page that could not be had would be a SIGBUS now. */
Test(daemon_exhausted, when_shared_memory_fills_up_later_nobody_notices)
{
    struct daemon daemon;
    mount_shm("size=16m");
    daemon_start(&daemon, "--capacity", "64", NULL);
    fill_up("/dev/shm/others");
    cr_expect_eq(child_wait(fork_child(child_calls, &daemon)), 0);
    daemon_kill(&daemon);
    daemon_restart(&daemon);
    cr_expect_eq(child_wait(fork_child(child_calls, &daemon)), 0);
    unlink("/dev/shm/others");
    daemon_stop(&daemon);
}

/* What the daemon has open stays open; every path that it looks at from now on cannot be written to. */
static void make_read_only(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(folder, folder, NULL, MS_BIND, NULL) != 0 ||
        mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0)
        cr_skip_test("needs to mount");
}

Test(daemon_exhausted, a_runtime_folder_that_becomes_read_only_is_no_reason_to_end)
{
    struct daemon daemon;
    struct output output;
    daemon_start(&daemon, NULL);
    make_read_only(daemon.dir);
    cr_expect_eq(child_wait(fork_child(child_calls, &daemon)), 0);
    cr_expect_eq(daemon_term(&daemon), 0);
    run(&output, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", daemon.dir, (char *)NULL);
    cr_expect(output.status == 1 && strstr(output.err, "Read-only file system") && strstr(output.err, daemon.dir),
              "%d: %s", output.status, output.err);
    output_free(&output);
    cr_assert_eq(umount(daemon.dir), 0);
    daemon_restart(&daemon);
    cr_expect_eq(child_wait(fork_child(child_calls, &daemon)), 0);
    daemon_stop(&daemon);
}
