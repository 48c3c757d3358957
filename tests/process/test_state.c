/*
 * What a state file is for: the memory is gone, as after a reboot, and overrides, policies and open breakers are back.
 * And what a damaged file, or one that is not ours, does to a start.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cbclient.h"
#include "tests/breakers.h"
#include "tests/harness.h"

#define SAYS(part) cr_expect(strstr(said(), part), "not said: \"%s\" but %s", part, said())

static struct daemon host;
static char path[160], log_path[160];
static cb_registry *registry;

/* ---- the daemon, its file, its log ---- */

static void start_log(void)
{
    int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), before = dup(STDERR_FILENO);
    cr_assert(log >= 0 && before >= 0 && dup2(log, STDERR_FILENO) >= 0);
    daemon_restart(&host);
    dup2(before, STDERR_FILENO);
    close(before);
    close(log);
}

static char *content_of(const char *file)
{
    static char content[65536];
    FILE *stream = fopen(file, "re");
    size_t length = stream ? fread(content, 1, sizeof content - 1, stream) : 0;
    content[length] = '\0';
    if (stream)
        fclose(stream);
    return content;
}

static const char *said(void)
{
    return content_of(log_path);
}

static void content_write(const char *content, size_t length)
{
    FILE *stream = fopen(path, "we");
    cr_assert(stream && fwrite(content, 1, length, stream) == length && fclose(stream) == 0);
}

/* Until the file, or the log, has (not) this text. */
static void wait_for(const char *file, const char *text, bool there)
{
    time_t deadline = time(NULL) + HARNESS_DEADLINE_MS / 1000;
    for (; (strstr(content_of(file), text) != NULL) != there; poll(NULL, 0, 2))
        cr_assert(time(NULL) <= deadline, "%s has %s\"%s\": %s", file, there ? "no " : "still ", text,
                  content_of(file));
}

static void lose_memory(void)
{
    struct output purge;
    run(&purge, REGISTRYD_PATH, "--registry", host.registry, "--runtime-dir", host.dir, "--purge", (char *)NULL);
    cr_assert(purge.status == 0 && !registry_exists(host.registry), "%s", purge.err);
    output_free(&purge);
}

/* A daemon with a state file in its own folder, which goes with it. */
static void start(void)
{
    daemon_start(&host, "--capacity", "16", NULL);
    daemon_term(&host);
    lose_memory();
    snprintf(path, sizeof path, "%s/state", host.dir);
    snprintf(log_path, sizeof log_path, "%s/log", host.dir);
    host.extra[2] = strdup("--state");
    host.extra[3] = strdup(path);
    host.extra[4] = NULL;
}

static void stop(void)
{
    cb_detach(&registry);
    daemon_stop(&host);
}

TestSuite(state, .init = start, .fini = stop);

/* As after a reboot: no daemon, no memory, the file. */
static void reboot(void)
{
    cb_detach(&registry);
    if (host.pid)
        daemon_kill(&host);
    lose_memory();
    start_log();
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
}

static void begin(void)
{
    start_log();
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
}

static bool is_there(const char *name)
{
    cb_breaker *breaker;
    return cb_get(registry, name, &breaker) == 0;
}

static int find_event(const struct cb_event *event, void *arg)
{
    return strcmp(event->text, arg) == 0;
}

static void expect_history(const char *name, const char *text)
{
    cr_expect_eq(cb_history(registry, name, find_event, (void *)(uintptr_t)text), 1, "%s: no event \"%s\"", name, text);
}

/* A start that must fail. */
static void expect_refused(const char *file, const char *part)
{
    struct output output;
    run(&output, REGISTRYD_PATH, "--registry", host.registry, "--runtime-dir", host.dir, "--state", file, (char *)NULL);
    cr_expect(output.status == 1 && strstr(output.err, part), "%d, not 1 with \"%s\": %s", output.status, part,
              output.err);
    cr_expect(!registry_exists(host.registry));
    output_free(&output);
}

/* ---- a reboot ---- */

Test(state, overrides_come_back_with_their_reason_their_author_and_their_end)
{
    begin();
    cb_breaker *shut = breaker_created(registry, "shut", "jitter=7"), *off = breaker_created(registry, "off", "");
    cr_assert_eq(cb_override(shut, CB_FORCED_OPEN, 600000, "ticket 4711: gr\xc3\xbc\xc3\x9f, uid=0 reason=x"), 0);
    cr_assert_eq(cb_override(off, CB_DISABLED, 0, ""), 0);
    wait_for(path, "state=disabled", true);
    reboot();
    struct cb_health health = breaker_health(registry, "shut");
    cr_expect_eq(health.counts.state, CB_FORCED_OPEN);
    cr_expect_str_eq(health.override_reason, "ticket 4711: gr\xc3\xbc\xc3\x9f, uid=0 reason=x");
    cr_expect(health.override_uid == geteuid() && health.override_pid == (uint32_t)getpid());
    cr_expect(health.override_left_ms > 500000 && health.override_left_ms <= 600000, "%d ms",
              (int)health.override_left_ms);
    cr_expect_str_eq(health.policy, "jitter=7");
    expect_history("shut", "forced-open: back from the state file");
    health = breaker_health(registry, "off");
    cr_expect(health.counts.state == CB_DISABLED && health.override_left_ms == UINT64_MAX);
}

Test(state, an_override_that_ended_meanwhile_is_over_and_told)
{
    enum { LASTS_MS = 1500 };
    begin();
    cr_assert_eq(cb_override(breaker_created(registry, "a", ""), CB_FORCED_OPEN, LASTS_MS, "short"), 0);
    cb_detach(&registry);
    cr_assert_eq(daemon_term(&host), 0);
    cr_assert(strstr(content_of(path), "state=forced-open"), "%s", content_of(path));
    poll(NULL, 0, LASTS_MS + 100); /* the end of it, on the clock on the wall */
    reboot();
    cr_expect_eq(breaker_health(registry, "a").counts.state, CB_CLOSED);
    SAYS("breaker a: the override forced-open of uid ");
}

Test(state, an_open_breaker_stays_open_as_long_as_it_had_left)
{
    struct cb_health before, after;
    begin();
    cb_breaker *breaker = breaker_created(registry, "a", "failure_threshold=1 open_timeout=60s");
    cr_assert_eq(cb_trip(breaker, ""), 0);
    wait_for(path, "state=open", true);
    before = breaker_health(registry, "a");
    reboot();
    after = breaker_health(registry, "a");
    cr_expect_eq(after.counts.state, CB_OPEN);
    cr_expect(after.retry_after_ms > 30000 && after.retry_after_ms <= before.retry_after_ms + 20, "%d ms, %d before",
              (int)after.retry_after_ms, (int)before.retry_after_ms);
}

/* Half-open, and due, come back as open and due: whoever calls first is the probe, and its failure waits longer. */
Test(state, a_half_open_breaker_asks_again_and_remembers_how_often_it_failed)
{
    cb_permit permit;
    begin();
    cb_breaker *breaker = breaker_created(
        registry, "a",
        "failure_threshold=1 open_timeout=1ms backoff_multiplier=100 max_open_timeout=1h success_threshold=2");
    cr_assert(cb_acquire(breaker, &permit) == CB_ADMITTED && cb_failure(&permit) == 0);
    while (cb_acquire(breaker, &permit) != CB_ADMITTED) /* a millisecond, then the probe */
        continue;
    cr_assert_eq(cb_failure(&permit), 0);
    while (cb_acquire(breaker, &permit) != CB_ADMITTED) /* 100 milliseconds */
        continue;
    cr_assert_eq(cb_success(&permit), 0);
    cr_assert_eq(breaker_health(registry, "a").counts.state, CB_HALF_OPEN);
    wait_for(path, "attempt=1", true);
    reboot();
    breaker = breaker_created(registry, "a", NULL);
    cr_expect_eq(breaker_health(registry, "a").counts.state, CB_HALF_OPEN);
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_failure(&permit), 0);
    uint64_t left = cb_retry_after_ms(breaker); /* 1 ms x 100 x 100 */
    cr_expect(left > 5000 && left <= 10000, "%d ms", (int)left);
}

Test(state, what_is_removed_stays_removed)
{
    begin();
    breaker_created(registry, "a", "");
    breaker_created(registry, "b", "jitter=9");
    wait_for(path, "breaker b", true);
    cr_assert_eq(cb_remove(breaker_created(registry, "a", ""), NULL), 0);
    wait_for(path, "breaker a", false);
    reboot();
    cr_expect(!is_there("a"));
    cr_expect_str_eq(breaker_health(registry, "b").policy, "jitter=9");
}

Test(state, is_written_once_more_at_the_end)
{
    begin();
    cr_assert_eq(cb_override(breaker_created(registry, "a", ""), CB_FORCED_OPEN, 0, "just before"), 0);
    cb_detach(&registry);
    cr_assert_eq(daemon_term(&host), 0);
    cr_expect(strstr(content_of(path), "reason=just before"), "%s", content_of(path));
    reboot();
    cr_expect_eq(breaker_health(registry, "a").counts.state, CB_FORCED_OPEN);
}

Test(state, memory_that_is_there_counts)
{
    static char old[4096];
    begin();
    cb_breaker *breaker = breaker_created(registry, "a", "jitter=1");
    wait_for(path, "jitter=1", true);
    snprintf(old, sizeof old, "%s", content_of(path));
    cr_assert_eq(cb_set_policy(breaker, "jitter=2"), 0);
    wait_for(path, "jitter=2", true);
    daemon_kill(&host);
    content_write(old, strlen(old));
    start_log();
    cr_expect_str_eq(breaker_health(registry, "a").policy, "jitter=2");
    wait_for(path, "jitter=2", true);
}

Test(state, the_configuration_says_which_policy_and_the_file_which_override)
{
    char config[180];
    begin();
    cr_assert_eq(cb_override(breaker_created(registry, "a", "jitter=1"), CB_FORCED_OPEN, 0, "by hand"), 0);
    breaker_created(registry, "b", "jitter=2");
    wait_for(path, "breaker b", true);
    snprintf(config, sizeof config, "%s/conf", host.dir);
    FILE *stream = fopen(config, "we");
    cr_assert(stream && fprintf(stream, "[registryd]\nstate = %s\n[a]\njitter = 3\n", path) > 0 && fclose(stream) == 0);
    free(host.extra[2]);
    free(host.extra[3]);
    host.extra[2] = strdup("--config"); /* which names the file */
    host.extra[3] = strdup(config);
    reboot();
    cr_expect_str_eq(breaker_health(registry, "a").policy, "jitter=3");
    cr_expect_eq(breaker_health(registry, "a").counts.state, CB_FORCED_OPEN);
    cr_expect_str_eq(breaker_health(registry, "b").policy, "jitter=2");
}

Test(state, another_capacity_costs_no_breaker)
{
    begin();
    cr_assert_eq(cb_override(breaker_created(registry, "a", "jitter=1"), CB_DISABLED, 0, "by hand"), 0);
    wait_for(path, "state=disabled", true);
    daemon_kill(&host);
    host.extra[1][0] = '3'; /* 36 */
    start_log();
    cb_detach(&registry);
    cr_assert_eq(cb_attach(host.registry, &registry), 0);
    cr_expect(breaker_health(registry, "a").counts.state == CB_DISABLED);
}

/* ---- a damaged file ---- */

static void expect_kept(const char *content)
{
    char pattern[180];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s.kept-*", path);
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "no %s", pattern);
    cr_expect_eq(found.gl_pathc, 1);
    cr_expect_str_eq(content_of(found.gl_pathv[0]), content);
    SAYS(found.gl_pathv[0]);
    globfree(&found);
}

/* "a" is good, "b" is overridden, "c" is good; one byte of b's line is another one. */
static void damage(char content[4096])
{
    begin();
    breaker_created(registry, "a", "jitter=1");
    cr_assert_eq(cb_override(breaker_created(registry, "b", "jitter=2"), CB_FORCED_OPEN, 0, "do not lose this"), 0);
    breaker_created(registry, "c", "jitter=3");
    wait_for(path, "breaker c", true);
    daemon_kill(&host);
    snprintf(content, 4096, "%s", content_of(path));
    *(strstr(content, "jitter=2") + 7) = '9';
    content_write(content, strlen(content));
}

Test(state, a_damaged_line_costs_its_breaker_and_is_told_and_kept)
{
    static char content[4096];
    damage(content);
    reboot();
    cr_expect(!is_there("b"));
    cr_expect_str_eq(breaker_health(registry, "a").policy, "jitter=1");
    cr_expect_str_eq(breaker_health(registry, "c").policy, "jitter=3");
    SAYS(":3: it is damaged: ");
    SAYS("breaker b creator=0 state=forced-open uid=");
    expect_kept(content);
}

Test(state, a_damaged_file_is_kept_also_when_the_memory_is_there)
{
    static char content[4096];
    damage(content);
    start_log();
    cr_expect_eq(breaker_health(registry, "b").counts.state, CB_FORCED_OPEN);
    expect_kept(content);
    wait_for(path, "jitter=2", true);
}

Test(state, a_file_cut_off_begins_with_what_stands_before)
{
    static char content[4096];
    damage(content);
    *strstr(content, "breaker b") = '\0';
    content_write(content, strlen(content));
    reboot();
    cr_expect(is_there("a") && !is_there("b") && !is_there("c"));
    SAYS("it is cut off");
    expect_kept(content);
}

Test(state, an_empty_file_is_told_and_no_obstacle)
{
    content_write("", 0);
    begin();
    SAYS("the end is missing");
    expect_kept("");
    wait_for(path, "end 0", true);
}

Test(state, a_file_of_another_version_is_kept)
{
    static const char other[] = "0449adbc registryd-state 2 default in another way\n";
    content_write(other, strlen(other)); /* its checksum is right */
    begin();
    SAYS("version 2, and this registryd reads version 1");
    expect_kept(other);
}

Test(state, a_file_that_cannot_be_read_is_kept)
{
    content_write("", 0);
    cr_assert_eq(truncate(path, 1 << 30), 0);
    begin();
    SAYS("cannot be read: File too large");
    SAYS(".kept-");
    wait_for(path, "end 0", true);
}

Test(state, more_breakers_than_there_is_room_for)
{
    begin();
    for (char name[] = "a"; *name < 'a' + 16; ++*name)
        breaker_created(registry, name, "");
    wait_for(path, "breaker p", true);
    daemon_kill(&host);
    host.extra[1][1] = '\0'; /* 1 */
    reboot();
    cr_expect(is_there("a") && !is_there("b"));
    SAYS("breaker p is not restored: the registry is full");
    SAYS(".kept-");
}

/* ---- files and folders that must be left alone ---- */

Test(state, what_is_not_ours_is_refused_and_left_as_it_is)
{
    char other[200];
    content_write("root:x:0:0:root:/root:/bin/sh\n", 30);
    expect_refused(path, "is no state file");
    cr_expect_str_eq(content_of(path), "root:x:0:0:root:/root:/bin/sh\n");
    unlink(path);
    snprintf(other, sizeof other, "%s/link", host.dir);
    cr_assert(symlink("/etc/hostname", other) == 0);
    expect_refused(other, "is no plain file");
    expect_refused("relative", "absolute");
    expect_refused("/proc/self/state", "cannot be written to");
    expect_refused("/nowhere/state", "/nowhere/state");
    snprintf(other, sizeof other, "%s/open", host.dir);
    cr_assert(mkdir(other, 0777) == 0 && chmod(other, 0777) == 0);
    strcat(other, "/state");
    expect_refused(other, "0777");
    cr_expect(geteuid() != 0 || (content_write("", 0), chown(path, 65534, (gid_t)-1) == 0));
    if (geteuid() == 0)
        expect_refused(path, "belongs to uid 65534");
}

Test(state, another_registrys_state_is_refused)
{
    begin();
    wait_for(path, "end 0", true);
    daemon_kill(&host);
    lose_memory();
    strcat(host.registry, "x");
    expect_refused(path, "is the state of the registry test-");
    host.registry[strlen(host.registry) - 1] = '\0';
}

Test(state, nobody_else_may_read_it)
{
    struct stat status;
    begin();
    wait_for(path, "end 0", true);
    cr_expect(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600, "%o", status.st_mode);
}

Test(state, when_it_cannot_be_written_any_more_that_is_told_once_and_tried_again)
{
    char obstacle[180];
    begin();
    wait_for(path, "end 0", true);
    snprintf(obstacle, sizeof obstacle, "%s.new", path);
    cr_assert(mkdir(obstacle, 0700) == 0);
    breaker_created(registry, "a", "");
    wait_for(log_path, "cannot be written: File exists; trying again", true);
    breaker_created(registry, "b", "");
    cr_assert(rmdir(obstacle) == 0);
    wait_for(path, "breaker b", true);
    wait_for(log_path, "is written again", true);
    cr_expect(strstr(strstr(said(), "cannot be written") + 1, "cannot be written") == NULL, "told twice: %s", said());
}
