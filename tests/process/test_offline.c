/* Changing a registry without its daemon: `cbctl --offline` and cb_attach_offline(). */
#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cbclient.h"
#include "core/keeper.h"
#include "tests/process/cbctl.h"

static struct daemon host;

static void begin(void)
{
    daemon_start(&host, NULL);
    setenv("CB_REGISTRY", host.registry, 1);
}

static void end(void)
{
    daemon_stop(&host);
}

TestSuite(offline, .init = begin, .fini = end);

Test(offline, everything_can_be_done_and_a_daemon_goes_on_from_there)
{
    expect(0, "", "create", "old");
    daemon_kill(&host);
    expect(0, "payments: failure_threshold=3", "create", "payments", "failure_threshold=3", "--offline");
    expect(0, "exists already", "create", "payments", "failure_threshold=3", "--offline");
    expect(1, "exists, with another policy", "create", "payments", "--offline");
    expect(0, "payments: open_timeout=1h", "set", "payments", "open_timeout=1h", "--offline");
    expect(0, "payments: open, next probe in 1h", "trip", "payments", "--offline");
    expect(0, "payments: closed", "reset", "payments", "--offline");
    expect(0, "payments: disabled until", "disable", "payments", "--offline");
    expect(0, "payments: closed", "auto", "payments", "--offline");
    expect(0, "payments: metrics-only", "metrics-only", "payments", "--offline");
    expect(0, "all breakers reset", "reset", "--all", "--offline");
    expect(0, "payments  closed", "show", "payments");
    expect(0, "payments: forced-open for 2h", "force-open", "payments", "--for", "2h", "--offline", "--reason", "bank");
    expect(0, "old: removed", "remove", "old", "--offline");
    expect(75, "rejected:open, ends in 2h", "run", "payments", "--", "true");
    daemon_restart(&host);
    expect(0, "for another 2h: bank", "show", "payments");
    expect(3, "no breaker 'old'", "show", "old");
    expect(0, "payments: closed", "auto", "payments");
}

Test(offline, what_cannot_be_is_refused_as_by_the_daemon)
{
    expect(0, "", "create", "b");
    daemon_kill(&host);
    expect(3, "no breaker 'nowhere'", "trip", "nowhere", "--offline");
    expect(2, "colour", "set", "b", "colour=red", "--offline");
    expect(2, "name", "create", "no blanks", "--offline");
    expect(2, "reason", "disable", "b", "--reason", "two\nlines", "--offline");
    expect(2, "at most 7 days", "disable", "b", "--for", "1000h", "--offline");
    expect(2, "--offline does not belong here", "run", "b", "--offline", "--", "true");
    expect(4, "registryd is not running", "--registry", "offline-none", "trip", "b", "--offline");
}

/* ---- not beside a daemon ---- */

static void expect_refusal(void)
{
    char who[64];
    snprintf(who, sizeof who, "is served by registryd, pid %d", (int)host.pid);
    expect(1, who, "trip", "b", "--offline");
    expect(1, who, "create", "another", "--offline");
    expect(1, who, "reset", "--all", "--offline");
    expect(0, "b    closed", "list");
}

Test(offline, a_daemon_that_runs_or_is_stopped_is_not_passed_over)
{
    expect(0, "", "create", "b");
    expect_refusal();
    kill(host.pid, SIGSTOP);
    expect_refusal();
    kill(host.pid, SIGCONT);
    daemon_term(&host);
    expect(0, "b: open", "trip", "b", "--offline");
}

static void keeps(void *arg)
{
    struct segment segment;
    char error[SEGMENT_ERROR_SIZE], byte;
    int *pipes = arg;
    child_check(segment_open(host.registry, true, &segment, error) == 0);
    child_check(keeper_take(&segment, KEEPER_TOOL) == 0);
    child_check(write(pipes[1], "", 1) == 1);
    child_check(read(pipes[2], &byte, 1) == 1);
    keeper_leave(&segment);
}

/* A tool that holds the registry until it is told to go on. */
struct tool {
    int pipes[4];
    pid_t pid;
    long killed; /* the daemon before */
};

static struct tool tool_starts(void)
{
    struct tool tool;
    char byte;
    cr_assert(pipe(tool.pipes) == 0 && pipe(tool.pipes + 2) == 0);
    tool.pid = fork_child(keeps, tool.pipes);
    cr_assert_eq(read(tool.pipes[0], &byte, 1), 1);
    return tool;
}

static void tool_ends(struct tool *tool, int status)
{
    cr_assert_eq(child_wait(tool->pid), status);
    for (int i = 0; i < 4; i++)
        close(tool->pipes[i]);
}

/* How often process `pid` has gone to sleep; -1: there is none. */
static long naps(long pid)
{
    char line[128];
    long count = -1;
    snprintf(line, sizeof line, "/proc/%ld/status", pid);
    FILE *file = fopen(line, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "voluntary_ctxt_switches: %ld", &count);
    if (file)
        fclose(file);
    return count;
}

/* The daemon that is starting, as its lock file says; 0: not yet. */
static long starting(void)
{
    char path[192];
    long pid = 0;
    snprintf(path, sizeof path, "%s/%s.lock", host.dir, host.registry);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    if (file)
        fclose(file);
    return pid;
}

/* A daemon that waits naps, again and again. One that does not wait has ended, and the test fails for that. */
static void goes_on_when_waited_for(void *arg)
{
    const struct tool *tool = arg;
    long pid = 0, before = 0, killed = tool->killed;
    for (int i = 0; i < HARNESS_DEADLINE_MS && (pid == 0 || pid == killed); i++, poll(NULL, 0, 1))
        pid = starting();
    before = naps(pid);
    for (int i = 0; i < HARNESS_DEADLINE_MS && before >= 0 && naps(pid) >= 0 && naps(pid) < before + 5; i++)
        poll(NULL, 0, 1);
    child_check(write(tool->pipes[3], "", 1) == 1);
}

Test(offline, a_daemon_that_starts_meanwhile_waits)
{
    long killed = host.pid;
    daemon_kill(&host);
    struct tool tool = tool_starts();
    tool.killed = killed;
    pid_t helper = fork_child(goes_on_when_waited_for, &tool);
    daemon_restart(&host);
    expect(0, "b: all defaults", "create", "b");
    cr_assert_eq(child_wait(helper), 0);
    tool_ends(&tool, 0);
}

Test(offline, a_tool_that_is_killed_makes_way_at_once)
{
    expect(0, "", "create", "b");
    daemon_kill(&host);
    struct tool tool = tool_starts();
    kill(tool.pid, SIGKILL);
    tool_ends(&tool, 128 + SIGKILL);
    expect(0, "b: open", "trip", "b", "--offline");
    daemon_restart(&host);
    expect(0, "b: closed", "reset", "b");
}

#define TOOLS 6

static void creates(void *arg)
{
    char name[16];
    cb_registry *registry;
    cb_breaker *breaker;
    snprintf(name, sizeof name, "breaker-%d", *(int *)arg);
    child_check(cb_attach_offline(host.registry, &registry) == 0);
    child_check(cb_get_or_create(registry, name, NULL, &breaker) == 0);
    child_check(cb_get_or_create(registry, "for-all", NULL, &breaker) == 0);
    child_check(cb_override(breaker, CB_DISABLED, 0, name) == 0);
    cb_detach(&registry);
}

struct found {
    int created, disabled;
    uint64_t last;
};

static int event_count(const struct cb_event *event, void *arg)
{
    struct found *found = arg;
    found->created += strcmp(event->cause, "created") == 0;
    found->disabled += event->to == CB_DISABLED && event->from != event->to;
    cr_assert(event->sequence == found->last + 1 || found->last == 0);
    found->last = event->sequence;
    return 0;
}

Test(offline, several_at_once_take_turns)
{
    int numbers[TOOLS];
    pid_t tools[TOOLS];
    struct found found = {0};
    cb_registry *registry;
    daemon_kill(&host);
    for (int i = 0; i < TOOLS; i++) {
        numbers[i] = i;
        tools[i] = fork_child(creates, &numbers[i]);
    }
    for (int i = 0; i < TOOLS; i++)
        cr_assert_eq(child_wait(tools[i]), 0);
    cr_assert_eq(cb_attach(host.registry, &registry), 0);
    cr_assert_eq(cb_history(registry, NULL, event_count, &found), 0);
    cr_expect_eq(found.created, TOOLS + 1);
    cr_expect_eq(found.last, (uint64_t)(TOOLS + 1 + TOOLS), "%llu events", (unsigned long long)found.last);
    cb_detach(&registry);
}

/* ---- who and why ---- */

struct action {
    const char *cause, *reason;
    int count;
};

static int action_find(const struct cb_event *event, void *arg)
{
    struct action *action = arg;
    if (strcmp(event->cause, action->cause) != 0)
        return 0;
    action->count++;
    cr_expect_eq(event->pid, (uint32_t)getpid(), "%s", event->cause);
    cr_expect_eq(event->uid, (uint32_t)getuid(), "%s", event->cause);
    cr_expect_str_eq(event->reason, action->reason, "%s", event->cause);
    cr_expect_str_eq(event->name, "b");
    cr_expect_not(event->filled);
    return 0;
}

static void expect_actions(cb_registry *registry)
{
    struct action actions[] = {
        {"created", "failure_threshold=2", 0},
        {"policy changed", "jitter=5", 0},
        {"operator trip", "drill", 0},
        {"operator override", "bank", 0},
        {"override ended", "over", 0},
        {"operator reset", "again", 0},
        {"removed", "gone", 0},
    };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        cr_assert_eq(cb_history(registry, "b", action_find, &actions[i]), 0, "%s", cb_last_error());
        cr_expect_eq(actions[i].count, 1, "%s: %d", actions[i].cause, actions[i].count);
    }
}

Test(offline, the_history_has_who_did_what_and_why)
{
    cb_registry *registry, *seen;
    cb_breaker *b;
    daemon_kill(&host);
    cr_assert_eq(cb_attach_offline(host.registry, &registry), 0, "%s", cb_last_error());
    cr_assert_eq(cb_get_or_create(registry, "b", "failure_threshold=2", &b), 0, "%s", cb_last_error());
    cr_assert_eq(cb_set_policy(b, "jitter=5"), 0);
    cr_assert_eq(cb_trip(b, "drill"), 0);
    cr_assert_eq(cb_override(b, CB_FORCED_OPEN, 60000, "bank"), 0);
    cr_assert_eq(cb_override(b, CB_CLOSED, 0, "over"), 0);
    cr_assert_eq(cb_reset(b, "again"), 0);
    cr_assert_eq(cb_remove(b, "gone"), 0);
    cr_assert_eq(cb_remove(b, "gone"), CB_ENOTFOUND);
    cr_assert_eq(cb_ping(registry, NULL, NULL), CB_EUNREACHABLE);
    cb_detach(&registry);
    cr_assert_eq(cb_attach(host.registry, &seen), 0);
    expect_actions(seen);
    daemon_restart(&host);
    expect_actions(seen);
    cb_detach(&seen);
}

/* ---- who may ---- */

#define NOBODY "65534"

/* $1 registryd, $2 cbctl, $3 root's registry, $4 a folder. Leaves nothing, whatever fails. */
static const char session[] = "set -u\n"
                              "test -x \"$1\" && test -x \"$2\" || exit 77\n"
                              "\"$2\" --registry \"$3\" trip b --offline; echo \"of root's: $?\"\n"
                              "\"$2\" --registry \"$3\" create another --offline; echo \"creating: $?\"\n"
                              "exec 3< <(exec \"$1\" --registry \"$CB_REGISTRY\" --runtime-dir \"$4\" 2>&1)\n"
                              "daemon=$!\n"
                              "trap '\"$1\" --registry \"$CB_REGISTRY\" --runtime-dir \"$4\" --purge' EXIT\n"
                              "while read -r line <&3; do [[ $line == *ready:* ]] && break; done\n"
                              "kill -9 $daemon; cat <&3\n"
                              "\"$2\" create mine --offline; echo \"of one's own: $?\"\n"
                              "\"$2\" --registry \"$3\" trip b --offline; echo \"of root's: $?\"\n";

Test(offline, only_the_owner_may)
{
    char name[64], folder[] = "/tmp/registryd-test-XXXXXX";
    struct output output;
    if (geteuid() != 0)
        cr_skip_test("needs a second user");
    expect(0, "", "create", "b");
    daemon_kill(&host);
    cr_assert(mkdtemp(folder) && chown(folder, (uid_t)atoi(NOBODY), (gid_t)-1) == 0);
    snprintf(name, sizeof name, "test-%d-owner", (int)getpid());
    setenv("CB_REGISTRY", name, 1);
    run(&output, "setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "bash", "-c", session, "bash",
        REGISTRYD_PATH, CBCTL_PATH, host.registry, folder, (char *)NULL);
    if (output.status == 77)
        cr_skip_test("the programs are in a folder that " NOBODY " cannot enter");
    cr_expect_str_eq(output.out, "of root's: 5\ncreating: 5\nmine: all defaults\nof one's own: 0\nof root's: 5\n",
                     "%s%s", output.out, output.err);
    cr_expect(strstr(output.err, "is not open to uid " NOBODY), "%s", output.err);
    output_free(&output);
    cr_expect(!registry_exists(name));
    run(&output, "rm", "-r", folder, (char *)NULL);
    output_free(&output);
    setenv("CB_REGISTRY", host.registry, 1);
    expect(0, "b    closed", "list");
}

/* $1 cbctl; a member of the group, who may read the panel, and use the registry. */
static const char member[] = "\"$1\" list && \"$1\" run b -- true && ! \"$1\" trip b --offline";

Test(offline, a_member_of_the_group_may_not)
{
    char folder[] = "/tmp/registryd-test-XXXXXX", config[64];
    struct output output;
    if (geteuid() != 0 || !getgrnam("games"))
        cr_skip_test("needs a second user, and the group games");
    daemon_stop(&host);
    cr_assert(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/conf", folder);
    FILE *file = fopen(config, "w");
    cr_assert(file && fputs("[registryd]\nmembers = games\n", file) >= 0 && fclose(file) == 0);
    daemon_start(&host, "--config", config, (char *)NULL);
    setenv("CB_REGISTRY", host.registry, 1);
    expect(0, "", "create", "b");
    daemon_kill(&host);
    run(&output, "setpriv", "--reuid", "12345", "--regid", "12345", "--groups", "games", "sh", "-c", member, "sh",
        CBCTL_PATH, (char *)NULL);
    cr_expect_eq(output.status, 0, "%s%s", output.out, output.err);
    cr_expect(strstr(output.err, "only its owner, uid 0, may change it"), "%s", output.err);
    output_free(&output);
    unlink(config);
    rmdir(folder);
}
