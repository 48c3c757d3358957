/* The daemon's life: starting, checking, reloading, dying, taking over, and what it does when workers die. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cbclient.h"
#include "tests/process/wire.h"

#define EXPECT_SAYS(output, code, part)                                                                                \
    cr_expect((output).status == (code) && strstr((output).err, part), "%d, not %d with \"%s\": %s", (output).status,  \
              code, part, (output).err)

/* A file that the test's end removes. */
struct scratch {
    char path[64];
};

static void scratch_write(struct scratch *scratch, const char *content)
{
    if (!*scratch->path) {
        strcpy(scratch->path, "/tmp/registryd-test-conf-XXXXXX");
        int fd = mkstemp(scratch->path);
        cr_assert(fd >= 0);
        close(fd);
    }
    FILE *file = fopen(scratch->path, "we");
    cr_assert(file && fputs(content, file) >= 0 && fclose(file) == 0);
}

static void scratch_remove(struct scratch *scratch)
{
    unlink(scratch->path);
}

/* ---- starting ---- */

Test(starting, a_second_daemon_says_who_runs)
{
    struct daemon daemon;
    struct output output;
    char pid[32];
    daemon_start(&daemon, (char *)NULL);
    snprintf(pid, sizeof pid, "pid %d", (int)daemon.pid);
    run(&output, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", daemon.dir, (char *)NULL);
    EXPECT_SAYS(output, 1, pid);
    output_free(&output);
    int fd = wire_open(&daemon);
    cb__reply__free_unpacked(wire_ping(fd), NULL); /* the first one's socket is still its own */
    close(fd);
    daemon_stop(&daemon);
}

Test(starting, a_second_daemon_in_another_folder_leaves_the_memory_alone)
{
    struct daemon daemon;
    struct output output;
    char other[] = "/tmp/registryd-test-XXXXXX";
    cr_assert(mkdtemp(other));
    daemon_start(&daemon, (char *)NULL);
    run(&output, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", other, (char *)NULL);
    EXPECT_SAYS(output, 1, daemon.dir);
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", other, "--purge", (char *)NULL);
    EXPECT_SAYS(output, 1, daemon.dir);
    output_free(&output);
    cr_expect(registry_exists(daemon.registry));
    cr_expect(rmdir(other) == 0, "something is left in the other folder");
    daemon_stop(&daemon);
}

Test(starting, purge_refuses_while_a_daemon_runs)
{
    struct daemon daemon;
    struct output output;
    daemon_start(&daemon, (char *)NULL);
    run(&output, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", daemon.dir, "--purge", (char *)NULL);
    EXPECT_SAYS(output, 1, "runs already");
    output_free(&output);
    cr_expect(registry_exists(daemon.registry));
    daemon_stop(&daemon);
}

Test(starting, purge_removes_what_a_killed_daemon_left)
{
    struct daemon daemon;
    struct output output;
    char path[256];
    daemon_start(&daemon, (char *)NULL);
    daemon_kill(&daemon);
    snprintf(path, sizeof path, "%s/%s.sock", daemon.dir, daemon.registry);
    cr_assert(access(path, F_OK) == 0);
    run(&output, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", daemon.dir, "--purge", (char *)NULL);
    cr_expect(output.status == 0 && !*output.err, "%d: %s", output.status, output.err);
    output_free(&output);
    cr_expect(access(path, F_OK) != 0, "the socket is left");
    cr_expect(!registry_exists(daemon.registry));
    daemon_stop(&daemon);
}

Test(starting, what_cannot_work_is_said_in_a_sentence)
{
    struct output output;
    char dir[] = "/tmp/registryd-test-XXXXXX";
    cr_assert(mkdtemp(dir));
    run(&output, REGISTRYD_PATH, "--registry", "no/name", "--runtime-dir", dir, (char *)NULL);
    EXPECT_SAYS(output, 1, "no/name");
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--registry", "test", "--runtime-dir", "/proc/nowhere", (char *)NULL);
    EXPECT_SAYS(output, 1, "/proc/nowhere");
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--registry", "test", "--runtime-dir", "relative", (char *)NULL);
    EXPECT_SAYS(output, 1, "relative");
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--capacity", "65537", (char *)NULL);
    EXPECT_SAYS(output, 2, "65537");
    output_free(&output);
    run(&output, "sh", "-c", "ulimit -n 12 && exec \"$0\" \"$@\"", REGISTRYD_PATH, "--registry", "test",
        "--runtime-dir", dir, (char *)NULL);
    EXPECT_SAYS(output, 1, "12 files may be open");
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--colour", (char *)NULL);
    EXPECT_SAYS(output, 2, "--help");
    output_free(&output);
    rmdir(dir);
}

Test(starting, a_folder_that_others_may_write_to_is_refused)
{
    struct output output;
    char dir[] = "/tmp/registryd-test-XXXXXX";
    cr_assert(mkdtemp(dir) && chmod(dir, 0777) == 0);
    run(&output, REGISTRYD_PATH, "--registry", "test", "--runtime-dir", dir, (char *)NULL);
    EXPECT_SAYS(output, 1, "0777");
    output_free(&output);
    rmdir(dir);
}

/* Start a daemon whose log goes to *log. */
static void start_heard(struct daemon *daemon, const char *config, int *log)
{
    int ends[2], before = dup(STDERR_FILENO);
    cr_assert(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    daemon_start(daemon, "--config", config, (char *)NULL);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    *log = ends[0];
}

Test(starting, a_log_that_nobody_reads_any_more_is_no_reason_to_end)
{
    struct scratch scratch = {""};
    struct daemon daemon;
    int log;
    scratch_write(&scratch, "[a]\n");
    start_heard(&daemon, scratch.path, &log);
    close(log);
    int fd = wire_open(&daemon);
    cr_assert(wire_create(fd, "b", "", NULL) == 0); /* is logged */
    cb__reply__free_unpacked(wire_ping(fd), NULL);
    close(fd);
    daemon_stop(&daemon);
    scratch_remove(&scratch);
}

Test(starting, a_folder_that_members_cannot_enter_is_told)
{
    struct scratch scratch = {""};
    struct daemon daemon;
    char said[4096];
    int log;
    scratch_write(&scratch, "[registryd]\nmembers = root\n");
    start_heard(&daemon, scratch.path, &log); /* in a folder that mkdtemp() made for us alone */
    daemon_term(&daemon);
    ssize_t length = read(log, said, sizeof said - 1);
    said[length > 0 ? length : 0] = '\0';
    cr_expect(strstr(said, daemon.dir) && strstr(said, "mode 0700"), "%s", said);
    close(log);
    daemon_stop(&daemon);
    scratch_remove(&scratch);
}

/* ---- configuration ---- */

Test(configuration, every_error_is_said_with_its_line)
{
    static const struct {
        int line;
        const char *text, *said;
    } file[] = {
        {1, "stray = 1", "stray"},
        {2, "[registryd]", NULL},
        {3, "capacity = 0", "capacity"},
        {4, "colour = blue", "colour"},
        {5, "members = no-such-group", "no-such-group"},
        {6, "registry = a/b", "a/b"},
        {7, "registry = fine", "second value"},
        {8, "[payments]", NULL},
        {9, "failure_threshold = 3", NULL},
        {10, "  open_timeout = soon", "open_timeout"},
        {11, "half_open_max_cals = 2", "half_open_max_cals"},
        {12, "failure_threshold = 4", "failure_threshold"},
        {13, "just words", "KEY = VALUE"},
        {14, "jitter = 1 2", "jitter"},
        {15, "[two words]", "two words"},
        {16, "anything = goes", NULL},
        {17, "[payments]", "line 8"},
        {18, "[unfinished", "]"},
    };
    struct scratch scratch = {""};
    struct output output;
    char content[1024] = "", wanted[128];
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        strcat(strcat(content, file[i].text), "\n");
    scratch_write(&scratch, content);
    run(&output, REGISTRYD_PATH, "-n", "--config", scratch.path, (char *)NULL);
    cr_expect(output.status == 1);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        snprintf(wanted, sizeof wanted, "%s:%d: ", scratch.path, file[i].line);
        const char *said = strstr(output.err, wanted), *end = said ? strchr(said, '\n') : NULL;
        const char *part = said && file[i].said ? strstr(said, file[i].said) : NULL;
        cr_expect(file[i].said ? part && part < end : !said, "line %d: %s", file[i].line, output.err);
    }
    output_free(&output);
    scratch_remove(&scratch);
}

Test(configuration, a_good_one_is_said_to_be_so)
{
    struct scratch scratch = {""};
    struct output output;
    scratch_write(&scratch,
                  "; a comment\n[registryd]\ncapacity = 16\n\n# another\n[a:b/c@d]\npreset = lenient ; here\n");
    run(&output, REGISTRYD_PATH, "--check", "--config", scratch.path, (char *)NULL);
    cr_expect(output.status == 0 && strstr(output.out, "OK") && !*output.err, "%s%s", output.out, output.err);
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--check", "--config", "/nowhere.conf", (char *)NULL);
    EXPECT_SAYS(output, 1, "/nowhere.conf");
    output_free(&output);
    scratch_remove(&scratch);
}

Test(configuration, a_check_looks_at_the_registrys_name_too)
{
    struct scratch scratch = {""};
    struct output output;
    scratch_write(&scratch, "[a]\n");
    run(&output, REGISTRYD_PATH, "-n", "--registry", "two words", "--config", scratch.path, (char *)NULL);
    EXPECT_SAYS(output, 1, "two words");
    output_free(&output);
    scratch_remove(&scratch);
}

static void write_sections(struct scratch *scratch, const char *head, unsigned count)
{
    scratch_write(scratch, head);
    FILE *file = fopen(scratch->path, "ae");
    cr_assert(file);
    for (unsigned i = 0; i < count; i++)
        fprintf(file, "[breaker-%u]\n", i);
    cr_assert(fclose(file) == 0);
}

Test(configuration, the_command_lines_capacity_counts_before_the_files)
{
    struct scratch scratch = {""};
    struct output output;
    write_sections(&scratch, "[registryd]\ncapacity = 2\n", 3);
    run(&output, REGISTRYD_PATH, "-n", "--config", scratch.path, (char *)NULL);
    EXPECT_SAYS(output, 1, ":5: 3 breakers are more than the capacity of 2");
    output_free(&output);
    run(&output, REGISTRYD_PATH, "-n", "--capacity", "3", "--config", scratch.path, (char *)NULL);
    cr_expect(output.status == 0, "%d: %s", output.status, output.err);
    output_free(&output);
    scratch_remove(&scratch);
}

/* Each name was once compared with all before it, which took half a minute. */
Test(configuration, as_many_breakers_as_there_can_be)
{
    struct scratch scratch = {""};
    struct output output;
    write_sections(&scratch, "[registryd]\ncapacity = 65536\n", 65536);
    run(&output, REGISTRYD_PATH, "-n", "--config", scratch.path, (char *)NULL);
    cr_expect(output.status == 0, "%d: %s", output.status, output.err);
    output_free(&output);
    write_sections(&scratch, "[registryd]\ncapacity = 65536\n", 65537);
    run(&output, REGISTRYD_PATH, "-n", "--config", scratch.path, (char *)NULL);
    EXPECT_SAYS(output, 1, ":65539: [breaker-65536]");
    output_free(&output);
    scratch_remove(&scratch);
}

static void expect_policy(int fd, const char *name, const char *policy)
{
    Cb__Reply *reply = wire_show(fd, name);
    cr_assert(reply->kind_case == CB__REPLY__KIND_BREAKER, "%s: %s", name, reply->error);
    cr_expect_str_eq(reply->breaker->policy, policy);
    cb__reply__free_unpacked(reply, NULL);
}

static void expect_state(int fd, const char *name, unsigned state)
{
    Cb__Reply *reply = wire_show(fd, name);
    cr_assert(reply->kind_case == CB__REPLY__KIND_BREAKER, "%s: %s", name, reply->error);
    cr_expect(reply->breaker->state == state, "%s is in state %u, not %u", name, reply->breaker->state, state);
    cb__reply__free_unpacked(reply, NULL);
}

/* A section's name as long as a name may be, and a section without keys: libinih alone would lose both. */
#define LONG_NAME "a-name-of-sixty-three-bytes------------------------------------"

Test(configuration, breakers_are_there_from_the_start)
{
    struct scratch scratch = {""};
    struct daemon daemon;
    cr_assert(sizeof LONG_NAME - 1 == 63);
    scratch_write(&scratch, "[plain]\n[" LONG_NAME "]\njitter = 7\n");
    daemon_start(&daemon, "--config", scratch.path, (char *)NULL);
    int fd = wire_open(&daemon);
    expect_policy(fd, "plain", "");
    expect_policy(fd, LONG_NAME, "jitter=7");
    close(fd);
    daemon_stop(&daemon);
    scratch_remove(&scratch);
}

/* Returns when the signal has been dealt with: the loop handles signals and requests of one turn before the next. */
static void reload(const struct daemon *daemon, int fd)
{
    kill(daemon->pid, SIGHUP);
    for (int i = 0; i < 3; i++)
        cb__reply__free_unpacked(wire_ping(fd), NULL);
}

Test(configuration, a_reload_changes_live_breakers_and_keeps_their_state)
{
    struct scratch scratch = {""};
    struct daemon daemon;
    scratch_write(&scratch, "[a]\nfailure_threshold = 3\n[b]\n");
    daemon_start(&daemon, "--config", scratch.path, (char *)NULL);
    int fd = wire_open(&daemon);
    cr_assert(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", "", NULL) == 0);
    cr_assert(wire_create(fd, "by-hand", "jitter=3", NULL) == 0);

    scratch_write(&scratch, "[a]\nfailure_threshold = 4\n[c]\njitter = 5\n");
    reload(&daemon, fd);
    expect_policy(fd, "a", "failure_threshold=4");
    expect_state(fd, "a", CB_OPEN);
    expect_policy(fd, "b", ""); /* vanished from the file, not from the registry */
    expect_policy(fd, "c", "jitter=5");
    expect_policy(fd, "by-hand", "jitter=3");
    close(fd);
    daemon_stop(&daemon);
    scratch_remove(&scratch);
}

Test(configuration, a_reload_with_an_error_changes_nothing)
{
    struct scratch scratch = {""};
    struct daemon daemon;
    scratch_write(&scratch, "[a]\nfailure_threshold = 3\n");
    daemon_start(&daemon, "--config", scratch.path, (char *)NULL);
    int fd = wire_open(&daemon);
    scratch_write(&scratch, "[a]\nfailure_threshold = 4\n[b]\nfailure_threshold = many\n");
    reload(&daemon, fd);
    expect_policy(fd, "a", "failure_threshold=3");
    Cb__Reply *reply = wire_show(fd, "b");
    cr_expect(reply->code == CB_ENOTFOUND);
    cb__reply__free_unpacked(reply, NULL);

    scratch_write(&scratch, "[a]\nfailure_threshold = 6\n");
    reload(&daemon, fd);
    expect_policy(fd, "a", "failure_threshold=6");
    close(fd);
    daemon_stop(&daemon);
    scratch_remove(&scratch);
}

/* ---- ending and taking over ---- */

Test(takeover, sigterm_leaves_the_memory_and_nothing_else)
{
    struct daemon daemon;
    char path[256];
    daemon_start(&daemon, (char *)NULL);
    cr_expect(daemon_term(&daemon) == 0);
    cr_expect(registry_exists(daemon.registry));
    snprintf(path, sizeof path, "%s/%s.sock", daemon.dir, daemon.registry);
    cr_expect(access(path, F_OK) != 0, "the socket is left");
    snprintf(path, sizeof path, "%s/%s.lock", daemon.dir, daemon.registry);
    cr_expect(access(path, F_OK) != 0, "the lock file is left");
    daemon_stop(&daemon);
}

Test(takeover, after_a_kill_states_counts_and_overrides_are_as_before)
{
    struct daemon daemon;
    cb_registry *registry;
    cb_breaker *breaker;
    cb_permit permit;
    daemon_start(&daemon, (char *)NULL);
    int fd = wire_open(&daemon);
    cr_assert(wire_create(fd, "a", "failure_threshold=2", NULL) == 0);
    cr_assert(wire_create(fd, "b", "", NULL) == 0);
    cr_assert(cb_attach(daemon.registry, &registry) == 0);
    cr_assert(cb_get(registry, "a", &breaker) == 0);
    for (int i = 0; i < 2; i++)
        cr_assert(cb_acquire(breaker, &permit) == CB_ADMITTED && cb_failure(&permit) == 0);
    cr_assert(wire_override(fd, "b", CB_DISABLED, 0, "until the kill is over", NULL) == 0);
    close(fd);

    daemon_kill(&daemon);
    cr_expect(cb_state_of(breaker) == CB_OPEN);
    daemon_restart(&daemon);
    cr_expect(cb_acquire(breaker, &permit) == CB_REJECTED_OPEN);
    fd = wire_open(&daemon);
    Cb__Reply *a = wire_show(fd, "a"), *b = wire_show(fd, "b");
    cr_expect(a->breaker->state == CB_OPEN && a->breaker->failures == 2 && a->breaker->rejected == 1);
    cr_expect_str_eq(a->breaker->policy, "failure_threshold=2");
    cr_expect(b->breaker->state == CB_DISABLED && b->breaker->override_state == CB_DISABLED);
    cr_expect_str_eq(b->breaker->override_reason, "until the kill is over");
    cb__reply__free_unpacked(a, NULL);
    cb__reply__free_unpacked(b, NULL);
    close(fd);
    cb_detach(&registry);
    daemon_stop(&daemon);
}

Test(takeover, another_capacity_replaces_the_memory)
{
    struct daemon daemon;
    daemon_start(&daemon, "--capacity", "1", (char *)NULL);
    int fd = wire_open(&daemon);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    cr_assert(wire_create(fd, "b", "", NULL) == CB_EFULL);
    close(fd);
    cr_assert(daemon_term(&daemon) == 0);
    daemon.extra[1][0] = '2';
    daemon_restart(&daemon);
    fd = wire_open(&daemon);
    cr_expect(wire_create(fd, "b", "", NULL) == 0);
    cr_expect(wire_create(fd, "c", "", NULL) == 0);
    close(fd);
    daemon_stop(&daemon);
}

/* A header that makes no sense is no reason not to start. */
/* The memory was once retired before it was known that its successor could not be had. */
Test(takeover, a_capacity_that_does_not_fit_costs_no_breaker)
{
    struct daemon daemon;
    struct output output;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64m") != 0)
        cr_skip_test("needs to mount");
    daemon_start(&daemon, "--capacity", "8", (char *)NULL);
    int fd = wire_open(&daemon);
    cr_assert(wire_create(fd, "a", "jitter=5", NULL) == 0);
    close(fd);
    daemon_term(&daemon);
    run(&output, REGISTRYD_PATH, "--registry", daemon.registry, "--runtime-dir", daemon.dir, "--capacity", "65536",
        (char *)NULL);
    EXPECT_SAYS(output, 1, "lower the capacity");
    output_free(&output);
    daemon_restart(&daemon);
    fd = wire_open(&daemon);
    expect_policy(fd, "a", "jitter=5");
    close(fd);
    daemon_stop(&daemon);
}

Test(takeover, damaged_memory_is_replaced)
{
    struct daemon daemon;
    char path[128];
    daemon_start(&daemon, (char *)NULL);
    cr_assert(daemon_term(&daemon) == 0);
    snprintf(path, sizeof path, "/dev/shm/registryd.%s.panel", daemon.registry);
    cr_assert(truncate(path, 100) == 0);
    daemon_restart(&daemon);
    int fd = wire_open(&daemon);
    cr_expect(wire_create(fd, "a", "", NULL) == 0);
    close(fd);
    daemon_stop(&daemon);
}

/* ---- workers that die or hang ---- */

struct worker {
    const struct daemon *daemon;
    int ready[2];
};

/* Acquire, tell that the call is under way, and hang in it. */
static void hang_in_a_call(void *arg)
{
    const struct worker *worker = arg;
    cb_registry *registry;
    cb_breaker *breaker;
    cb_permit permit;
    child_check(cb_attach(worker->daemon->registry, &registry) == 0);
    child_check(cb_get(registry, "a", &breaker) == 0);
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
    child_check(write(worker->ready[1], "r", 1) == 1);
    for (;;)
        pause();
}

static pid_t start_hanging(struct worker *worker)
{
    char byte;
    pid_t pid = fork_child(hang_in_a_call, worker);
    cr_assert(read(worker->ready[0], &byte, 1) == 1);
    return pid;
}

static struct worker workers_of(struct daemon *daemon, const char *policy)
{
    struct worker worker = {.daemon = daemon};
    daemon_start(daemon, (char *)NULL);
    int fd = wire_open(daemon);
    cr_assert(wire_create(fd, "a", policy, NULL) == 0);
    close(fd);
    cr_assert(pipe2(worker.ready, O_CLOEXEC) == 0);
    return worker;
}

static Cb__Reply *breaker_now(int fd)
{
    Cb__Reply *reply = wire_show(fd, "a");
    cr_assert(reply->kind_case == CB__REPLY__KIND_BREAKER);
    return reply;
}

/* Ask until so many calls are settled from outside; fails after the usual deadline. */
static void wait_for_settled(int fd, uint64_t abandoned, uint64_t overdue)
{
    time_t deadline = time(NULL) + HARNESS_DEADLINE_MS / 1000;
    for (bool reached = false; !reached;) {
        Cb__Reply *reply = breaker_now(fd);
        reached = reply->breaker->abandoned >= abandoned && reply->breaker->overdue >= overdue;
        cr_assert(reached || time(NULL) <= deadline, "%d abandoned, %d overdue", (int)reply->breaker->abandoned,
                  (int)reply->breaker->overdue);
        cb__reply__free_unpacked(reply, NULL);
    }
}

Test(reaper, a_worker_killed_in_a_call_counts_as_abandoned)
{
    struct daemon daemon;
    struct worker worker = workers_of(&daemon, "failure_threshold=2");
    int fd = wire_open(&daemon);
    for (uint64_t killed = 1; killed <= 2; killed++) {
        pid_t pid = start_hanging(&worker);
        kill(pid, SIGKILL);
        child_wait(pid);
        wait_for_settled(fd, killed, 0);
    }
    Cb__Reply *reply = breaker_now(fd);
    cr_expect(reply->breaker->abandoned == 2 && reply->breaker->failures == 0);
    cr_expect(reply->breaker->state == CB_OPEN, "abandoned calls do not trip");
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
    daemon_stop(&daemon);
}

Test(reaper, many_workers_that_die_at_once_are_all_settled_and_no_other)
{
    enum { DEAD = 100 };
    struct daemon daemon;
    struct worker worker = workers_of(&daemon, "failure_threshold=1000");
    pid_t pids[DEAD], living = start_hanging(&worker);
    for (int i = 0; i < DEAD; i++)
        pids[i] = start_hanging(&worker);
    for (int i = 0; i < DEAD; i++)
        kill(pids[i], SIGKILL);
    int fd = wire_open(&daemon);
    wait_for_settled(fd, DEAD, 0);
    Cb__Reply *reply = breaker_now(fd);
    cr_expect(reply->breaker->abandoned == DEAD);
    cb__reply__free_unpacked(reply, NULL);
    reply = wire_ping(fd);
    cr_expect(reply->pong->workers == 1);
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
    for (int i = 0; i < DEAD; i++)
        child_wait(pids[i]);
    kill(living, SIGKILL);
    child_wait(living);
    daemon_stop(&daemon);
}

Test(reaper, a_worker_that_dies_while_the_daemon_is_dead_is_found_at_the_start)
{
    struct daemon daemon;
    struct worker worker = workers_of(&daemon, "");
    pid_t pid = start_hanging(&worker);
    daemon_kill(&daemon);
    kill(pid, SIGKILL);
    child_wait(pid);
    daemon_restart(&daemon);
    int fd = wire_open(&daemon);
    wait_for_settled(fd, 1, 0);
    close(fd);
    daemon_stop(&daemon);
}

Test(reaper, a_stopped_worker_is_not_dead)
{
    struct daemon daemon;
    struct worker worker = workers_of(&daemon, "");
    pid_t stopped = start_hanging(&worker), killed = start_hanging(&worker);
    int status;
    kill(stopped, SIGSTOP);
    cr_assert(waitpid(stopped, &status, WUNTRACED) == stopped && WIFSTOPPED(status));
    kill(killed, SIGKILL);
    child_wait(killed);
    int fd = wire_open(&daemon);
    wait_for_settled(fd, 1, 0); /* what the daemon learned before this, it has dealt with */
    Cb__Reply *reply = wire_ping(fd);
    cr_expect(reply->pong->workers == 1);
    cb__reply__free_unpacked(reply, NULL);
    reply = breaker_now(fd);
    cr_expect(reply->breaker->abandoned == 1);
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
    kill(stopped, SIGKILL);
    child_wait(stopped);
    daemon_stop(&daemon);
}

Test(reaper, a_call_that_hangs_is_overdue_while_it_hangs)
{
    struct daemon daemon;
    struct worker worker = workers_of(&daemon, "failure_threshold=1 call_timeout=30ms");
    pid_t pid = start_hanging(&worker);
    int fd = wire_open(&daemon);
    wait_for_settled(fd, 0, 1);
    Cb__Reply *reply = breaker_now(fd);
    cr_expect(reply->breaker->state == CB_OPEN && reply->breaker->abandoned == 0);
    cb__reply__free_unpacked(reply, NULL);
    kill(pid, SIGKILL);
    child_wait(pid);
    close(fd);
    daemon_stop(&daemon);
}
