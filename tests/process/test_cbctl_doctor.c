/* cbctl doctor: everything that it looks at, made wrong; in a /dev/shm of the test's own. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>

#include "cbclient.h"
#include "core/segment.h"
#include "tests/process/wire.h"

#define NOBODY "65534"

static struct daemon host;

static void mount_folder(const char *path, const char *options)
{
    cr_assert(mount("tmpfs", path, "tmpfs", 0, options) == 0, "mount %s: %s", path, strerror(errno));
}

/* Mounts of its own, and a /dev/shm in which nobody else has registries. */
static void begin_alone(const char *folder_options)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/dev/shm", "tmpfs", 0, folder_options) != 0)
        cr_skip_test("needs to mount");
}

static void begin_with_daemon(const char *capacity)
{
    begin_alone("mode=1777");
    daemon_start(&host, "--capacity", capacity, (char *)NULL);
    setenv("CB_REGISTRY", host.registry, 1);
}

static cb_registry *join(void)
{
    cb_registry *registry;
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
    return registry;
}

static bool line_says(const char *line, const char *verdict, const char *check, const char *text)
{
    char says[16], of[32];
    return sscanf(line, "%15s %31s", says, of) == 2 && !strcmp(says, verdict) && !strcmp(of, check) &&
           strstr(line, text);
}

/* The doctor says `verdict` ("WRONG", "ok") of a check, with `text`. */
static void expect_in(const struct output *output, const char *verdict, const char *check, const char *text)
{
    char *copy = strdup(output->out), *rest = NULL;
    bool found = false;
    for (char *line = strtok_r(copy, "\n", &rest); line && !found; line = strtok_r(NULL, "\n", &rest))
        found = line_says(line, verdict, check, text);
    free(copy);
    cr_expect(found, "no '%s %s' with '%s':\n%s%s", verdict, check, text, output->out, output->err);
}

static void expect_finding(const char *verdict, const char *check, const char *text)
{
    struct output output;
    run(&output, CBCTL_PATH, "doctor", (char *)NULL);
    cr_expect(output.status == (strstr(output.out, "WRONG") != NULL), "%d", output.status);
    expect_in(&output, verdict, check, text);
    output_free(&output);
}

static void expect_finding_as(const char *uid, const char *groups, const char *verdict, const char *check,
                              const char *text)
{
    struct output output;
    run(&output, "setpriv", "--reuid", uid, "--regid", uid, *groups ? "--groups" : "--clear-groups",
        *groups ? groups : CBCTL_PATH, *groups ? CBCTL_PATH : "doctor", *groups ? "doctor" : NULL, (char *)NULL);
    expect_in(&output, verdict, check, text);
    output_free(&output);
}

Test(doctor, finds_nothing_where_all_is_well)
{
    struct output output;
    begin_with_daemon("64");
    run(&output, CBCTL_PATH, "doctor", (char *)NULL);
    cr_expect(output.status == 0 && !strstr(output.out, "WRONG"), "%d: %s%s", output.status, output.out, output.err);
    output_free(&output);
    run(&output, "sh", "-c",
        "\"$0\" doctor --json | jq -e '.wrong == 0 and (.findings | length) == 10 and "
        "([.findings[] | select(.wrong or .remedy != null)] | length) == 0'",
        CBCTL_PATH, (char *)NULL);
    cr_expect_eq(output.status, 0, "%s%s", output.out, output.err);
    output_free(&output);
    daemon_stop(&host);
}

/* ---- memory ---- */

Test(doctor, finds_a_folder_without_room)
{
    begin_alone("mode=1777,size=8m");
    daemon_start(&host, "--capacity", "8", (char *)NULL);
    setenv("CB_REGISTRY", host.registry, 1);
    expect_finding("WRONG", "memory", "a registry that replaces this one needs as much again");
    daemon_stop(&host);
    expect_finding("WRONG", "memory", "/dev/shm has 8.0 MiB free, and a registry needs 24.0 MiB");
}

Test(doctor, finds_a_folder_that_is_none_or_another_one)
{
    char folder[] = "/tmp/registryd-test-XXXXXX";
    begin_with_daemon("8");
    cr_assert_eq(chmod("/dev/shm", 0777), 0);
    expect_finding("WRONG", "memory", "others can remove a registry; chmod 1777 /dev/shm");
    cr_assert_eq(chmod("/dev/shm", 0755), 0);
    expect_finding("WRONG", "memory", "only some users can have registries; chmod 1777 /dev/shm");
    cr_assert_eq(chmod("/dev/shm", 01777), 0);
    cr_assert(mkdtemp(folder) && chmod(folder, 01777) == 0);
    struct statfs status;
    cr_assert(statfs(folder, &status) == 0 && mount(folder, "/dev/shm", NULL, MS_BIND, NULL) == 0);
    if (status.f_type != TMPFS_MAGIC)
        expect_finding("WRONG", "memory", "/dev/shm is no tmpfs");
    cr_assert_eq(umount("/dev/shm"), 0);
    rmdir(folder);
    mount_folder("/dev", "mode=755");
    expect_finding("WRONG", "memory", "there is no folder /dev/shm; mount -t tmpfs");
    cr_assert_eq(umount("/dev"), 0);
    daemon_stop(&host);
}

static void object_path_of(char path[160], const char *part)
{
    snprintf(path, 160, "/dev/shm/registryd.%.63s.%s", host.registry, part);
}

Test(doctor, finds_a_registry_that_is_not_whole)
{
    char panel[160], live[160], hidden[170];
    begin_alone("mode=1777");
    setenv("CB_REGISTRY", "no-such", 1);
    expect_finding("WRONG", "registry", "registryd has not been started; registryd --registry no-such");
    setenv("CB_REGISTRY", "default", 1);
    expect_finding("WRONG", "registry", "systemctl start registryd");
    daemon_start(&host, "--capacity", "8", (char *)NULL);
    setenv("CB_REGISTRY", host.registry, 1);
    object_path_of(panel, "panel");
    object_path_of(live, "live");
    snprintf(hidden, sizeof hidden, "%s~", live);
    cr_assert_eq(rename(live, hidden), 0);
    expect_finding("WRONG", "registry", "is half gone");
    cr_assert_eq(rename(hidden, live), 0);
    cr_assert_eq(chmod(panel, 0666), 0);
    expect_finding("WRONG", "registry", "has mode 0666, which lets others write to it");
    cr_assert_eq(chmod(panel, 0600), 0);
    daemon_stop(&host);
}

Test(doctor, finds_what_other_registries_left_behind)
{
    struct daemon other;
    char panel[160];
    begin_alone("mode=1777");
    daemon_start(&other, "--capacity", "8", (char *)NULL);
    daemon_start(&host, "--capacity", "8", (char *)NULL);
    setenv("CB_REGISTRY", host.registry, 1);
    expect_finding("ok", "others", "nothing is left behind");
    daemon_kill(&other);
    expect_finding("WRONG", "others", "its registryd is gone; registryd --registry");
    snprintf(panel, sizeof panel, "/dev/shm/registryd.%s.panel", other.registry);
    cr_assert_eq(truncate(panel, 64), 0);
    expect_finding("WRONG", "others", "the panel");
    cr_assert_eq(unlink(panel), 0);
    expect_finding("WRONG", "others", "is what is left of a registry; remove it");
    daemon_stop(&other);
    daemon_stop(&host);
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s: %s", path, strerror(errno));
}

/* The memory is nobody's, who is no system user; with logind, which is asked by its files alone. */
Test(doctor, finds_a_logind_that_removes_the_memory)
{
    char panel[160], live[160];
    begin_with_daemon("8");
    if (access("/etc/systemd", F_OK) != 0 || access("/run/systemd", F_OK) != 0 || access("/var/lib/systemd", F_OK) != 0)
        cr_skip_test("needs systemd's folders");
    object_path_of(panel, "panel");
    object_path_of(live, "live");
    mount_folder("/etc/systemd", "mode=755");
    mount_folder("/run/systemd", "mode=755");
    mount_folder("/var/lib/systemd", "mode=755");
    expect_finding("ok", "logind", "root's shared memory outlives");
    cr_assert(chown(panel, 65534, 65534) == 0 && chown(live, 65534, 65534) == 0);
    expect_finding_as(NOBODY, "", "ok", "logind", "outlives"); /* there is no logind */
    cr_assert_eq(mkdir("/run/systemd/seats", 0755), 0);
    expect_finding_as(NOBODY, "", "WRONG", "logind", "logind removes it when nobody logs out; RemoveIPC=no");
    file_write("/etc/systemd/logind.conf", "[Login]\n#RemoveIPC=yes\nRemoveIPC=no\n");
    expect_finding_as(NOBODY, "", "ok", "logind", "outlives");
    cr_assert(mkdir("/etc/systemd/logind.conf.d", 0755) == 0);
    file_write("/etc/systemd/logind.conf.d/50-ours.conf", "[Login]\nRemoveIPC = yes\n");
    expect_finding_as(NOBODY, "", "WRONG", "logind", "RemoveIPC=no");
    cr_assert(mkdir("/var/lib/systemd/linger", 0755) == 0);
    file_write("/var/lib/systemd/linger/nobody", "");
    expect_finding_as(NOBODY, "", "ok", "logind", "outlives");
    cr_assert(chown(panel, 0, 0) == 0 && chown(live, 0, 0) == 0);
    daemon_stop(&host);
}

/* ---- the daemon ---- */

Test(doctor, finds_a_daemon_that_is_away_or_stopped)
{
    char remedy[64];
    begin_with_daemon("8");
    snprintf(remedy, sizeof remedy, "is stopped; kill -CONT %d", (int)host.pid);
    kill(host.pid, SIGSTOP);
    expect_finding("WRONG", "daemon", remedy);
    kill(host.pid, SIGCONT);
    expect_finding("ok", "daemon", "answers at");
    daemon_kill(&host);
    expect_finding("WRONG", "daemon", "registryd is not running: breakers work on");
    daemon_stop(&host);
}

static int socket_bind(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.60s/%.40s.sock", host.dir, host.registry);
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0);
    return fd;
}

Test(doctor, finds_something_else_in_the_daemons_place)
{
    begin_with_daemon("8");
    daemon_kill(&host);
    int fd = socket_bind();
    expect_finding("WRONG", "daemon", "something listens at");
    close(fd);
    daemon_stop(&host);
}

/* Answers every request as a registryd of another release would. */
static void answer_as_another(void *arg)
{
    static uint8_t packet[PACKET_SIZE];
    int fd, listener = *(int *)arg;
    Cb__Pong pong = CB__PONG__INIT;
    Cb__Reply reply = CB__REPLY__INIT;
    pong.daemon_version = (char[]){"0.9.0"};
    reply.kind_case = CB__REPLY__KIND_PONG;
    reply.pong = &pong;
    reply.version = PROTOCOL_VERSION;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        while (packet_receive(fd, packet, HARNESS_DEADLINE_MS) > 0)
            packet_send(fd, &reply.base, HARNESS_DEADLINE_MS);
        close(fd);
    }
}

Test(doctor, finds_a_daemon_of_another_release)
{
    begin_with_daemon("8");
    daemon_kill(&host);
    int fd = socket_bind();
    pid_t another = fork_child(answer_as_another, &fd);
    expect_finding("WRONG", "versions", "registryd is 0.9.0, the library 1.0.0; install the same release of both");
    kill(another, SIGKILL);
    child_wait(another);
    close(fd);
    daemon_stop(&host);
}

Test(doctor, finds_users_that_may_not)
{
    char config[64], path[180], folder[] = "/tmp/registryd-test-XXXXXX";
    if (geteuid() != 0 || !getgrnam("games"))
        cr_skip_test("needs other users, and the group games");
    begin_alone("mode=1777");
    cr_assert(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/conf", folder);
    file_write(config, "[registryd]\nmembers = games\n");
    daemon_start(&host, "--config", config, "--capacity", "8", (char *)NULL);
    setenv("CB_REGISTRY", host.registry, 1);
    cr_assert_eq(chmod(host.dir, 0755), 0);
    expect_finding_as(NOBODY, "", "WRONG", "registry", "usermod -aG games nobody, then log in again");
    expect_finding_as(NOBODY, "games", "ok", "access", "nobody may look and create; registryd.conf says who may");
    expect_finding("ok", "access", "root may do everything");
    snprintf(path, sizeof path, "%s/%s.sock", host.dir, host.registry);
    cr_assert_eq(chmod(path, 0600), 0);
    expect_finding_as(NOBODY, "games", "WRONG", "access", "nobody may not connect to /tmp/registryd-test-");
    cr_assert_eq(chmod(host.dir, 0700), 0);
    expect_finding_as(NOBODY, "games", "WRONG", "access", "nobody may not enter the folder");
    daemon_stop(&host);
    unlink(config);
    rmdir(folder);
}

/* A registry from another PID namespace: its pids are other processes here. */
Test(doctor, finds_another_namespace)
{
    struct output output;
    begin_with_daemon("8");
    run(&output, "unshare", "--pid", "--fork", "--mount-proc", CBCTL_PATH, "doctor", (char *)NULL);
    expect_in(&output, "WRONG", "registry", "belongs to PID namespace");
    output_free(&output);
    daemon_stop(&host);
}

/* ---- what it holds ---- */

static cb_breaker *breaker_of(cb_registry *registry, const char *name, const char *policy)
{
    cb_breaker *breaker;
    cr_assert_eq(cb_get_or_create(registry, name, policy, &breaker), 0, "%s", cb_last_error());
    return breaker;
}

Test(doctor, finds_a_registry_that_is_nearly_full)
{
    begin_with_daemon("3");
    cb_registry *registry = join();
    expect_finding("ok", "room", "0 of 3 breakers");
    breaker_of(registry, "a", NULL);
    breaker_of(registry, "b", "max_concurrent=900");
    expect_finding("ok", "room", "2 of 3 breakers");
    breaker_of(registry, "c", "max_concurrent=100");
    expect_finding("WRONG", "room", "3 of 3 breakers are taken; raise capacity");
    expect_finding("WRONG", "room", "1000 of 1024 places under max_concurrent are taken; lower max_concurrent");
    cb_detach(&registry);
    daemon_stop(&host);
}

Test(doctor, finds_lanes_that_are_exhausted, .timeout = 100)
{
    enum { ALL = 262144, MORE = ALL + 10 };
    begin_with_daemon("3");
    cb_registry *registry = join();
    cb_breaker *breaker = breaker_of(registry, "a", NULL);
    cb_permit *permits = calloc(MORE, sizeof *permits);
    cr_assert(permits);
    for (int i = 0; i < MORE; i++)
        cr_assert_eq(cb_acquire(breaker, &permits[i]), CB_ADMITTED);
    expect_finding("WRONG", "room", "262144 of 262144 places for calls in flight are taken");
    expect_finding("WRONG", "room", "10 calls of attached processes found no room");
    for (int i = 0; i < MORE; i++)
        cb_success(&permits[i]);
    free(permits);
    cb_detach(&registry);
    daemon_stop(&host);
}

static void hold_a_call(void *arg)
{
    cb_registry *registry;
    cb_breaker *breaker;
    cb_permit permit;
    child_check(cb_attach(host.registry, &registry) == 0 && cb_get(registry, "a", &breaker) == 0);
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED && write(*(int *)arg, "", 1) == 1);
    for (;;)
        pause();
}

Test(doctor, finds_processes_that_died_unnoticed)
{
    int told[2];
    char byte;
    begin_with_daemon("8");
    cb_registry *registry = join();
    breaker_of(registry, "a", NULL);
    cr_assert_eq(pipe(told), 0);
    pid_t child = fork_child(hold_a_call, &told[1]);
    cr_assert_eq(read(told[0], &byte, 1), 1);
    daemon_kill(&host);
    expect_finding("ok", "processes", "no dead process");
    kill(child, SIGKILL);
    child_wait(child);
    expect_finding("WRONG", "processes", "processes that are gone: 1, their calls that still count as in flight: 1");
    daemon_restart(&host);
    cb_detach(&registry);
    daemon_stop(&host);
}

Test(doctor, finds_damage)
{
    char error[SEGMENT_ERROR_SIZE];
    struct segment segment;
    begin_with_daemon("8");
    cb_registry *registry = join();
    breaker_of(registry, "a", NULL);
    cr_assert_eq(segment_open(host.registry, false, &segment, error), 0, "%s", error);
    time_t deadline = time(NULL) + HARNESS_DEADLINE_MS / 1000;
    while (cb_damage_count(registry) == 0 && time(NULL) < deadline && poll(NULL, 0, 5) == 0)
        memset(segment.slots, 0xff, sizeof(struct slot));
    expect_finding("WRONG", "damage", "damage in the memory was found and repaired");
    segment_close(&segment);
    cb_detach(&registry);
    daemon_stop(&host);
}
