/* cbctl run: commands as protected calls. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/harness.h"

static struct daemon registry;

static void begin(void)
{
    daemon_start(&registry, (char *)NULL);
    setenv("CB_REGISTRY", registry.registry, 1);
}

static void end(void)
{
    daemon_stop(&registry);
}

TestSuite(cbctl_run, .init = begin, .fini = end);

#define expect_run(code, ...)                                                                                          \
    do {                                                                                                               \
        struct output output_;                                                                                         \
        run(&output_, CBCTL_PATH, "run", __VA_ARGS__, (char *)NULL);                                                   \
        cr_expect_eq(output_.status, code, "%s: exit %d\n%s", #__VA_ARGS__, output_.status, output_.err);              \
        output_free(&output_);                                                                                         \
    } while (0)

static void expect_shown(const char *part)
{
    struct output output;
    run(&output, CBCTL_PATH, "show", "b", "--json", (char *)NULL);
    cr_expect(strstr(output.out, part), "no %s in %s%s", part, output.out, output.err);
    output_free(&output);
}

Test(cbctl_run, the_exit_status_is_the_commands_and_the_outcome)
{
    expect_run(0, "b", "--", "true");
    expect_run(7, "b", "--", "sh", "-c", "exit 7");
    expect_run(128 + SIGKILL, "b", "--", "sh", "-c", "kill -9 $$");
    expect_shown("\"successes\": 1");
    expect_shown("\"failures\": 2");
    expect_shown("\"in_flight\": 0");
}

Test(cbctl_run, a_command_that_cannot_start_is_ignored)
{
    expect_run(127, "b", "--policy", "failure_threshold=1", "--", "/nonexistent/command");
    expect_run(126, "b", "--", "/etc/passwd");
    expect_shown("\"ignored\": 2");
    expect_shown("\"state\": \"closed\"");
}

Test(cbctl_run, a_rejected_command_does_not_run)
{
    struct output output;
    expect_run(1, "b", "--policy", "failure_threshold=1 open_timeout=1h", "--", "false");
    run(&output, CBCTL_PATH, "run", "b", "--", "echo", "ran", (char *)NULL);
    cr_expect_eq(output.status, 75);
    cr_expect_str_eq(output.out, "");
    cr_expect_str_eq(output.err, "cbctl: b: rejected:open, next probe in 1h\n");
    output_free(&output);
}

Test(cbctl_run, the_policy_is_for_a_new_breaker_only)
{
    expect_run(0, "b", "--policy", "failure_threshold=2", "--", "true");
    expect_run(0, "b", "--policy", "failure_threshold=1", "--", "true");
    expect_shown("\"policy\": \"failure_threshold=2\"");
    expect_run(2, "c", "--policy", "failure_threshold=lots", "--", "true");
}

Test(cbctl_run, a_timeout_is_a_failure)
{
    expect_run(124, "b", "--timeout", "20ms", "--", "sleep", "60");
    expect_run(124, "b", "--timeout", "20ms", "--", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done");
    expect_shown("\"failures\": 2");
    expect_shown("\"successes\": 0");
}

Test(cbctl_run, who_ignores_the_timeout_is_killed)
{
    expect_run(124, "b", "--timeout", "20ms", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done");
    expect_shown("\"failures\": 1");
}

/* Start cbctl with its standard output in a pipe and wait for the first byte there. */
static pid_t run_until_ready(const char *script)
{
    int ends[2];
    char byte;
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        dup2(null, STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(CBCTL_PATH, "cbctl", "run", "b", "--", "sh", "-c", script, (char *)NULL);
        _exit(99);
    }
    close(ends[1]);
    cr_assert_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

Test(cbctl_run, signals_reach_the_command)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        int status;
        pid_t pid = run_until_ready("trap 'exit 3' INT TERM HUP QUIT; echo ready; while :; do sleep 0.05; done");
        kill(pid, signals[i]);
        waitpid(pid, &status, 0);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 3, "signal %d: status %#x", signals[i], status);
    }
    expect_shown("\"failures\": 4");
}

Test(cbctl_run, the_call_is_in_flight_while_the_command_runs)
{
    int status;
    struct output output;
    pid_t pid = run_until_ready("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    expect_shown("\"in_flight\": 1");
    run(&output, CBCTL_PATH, "workers", (char *)NULL);
    cr_expect(strstr(output.out, "cbctl"), "%s", output.out);
    output_free(&output);
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    expect_shown("\"successes\": 1");
}

Test(cbctl_run, the_command_inherits_nothing_of_the_registry)
{
    struct output with, without;
    run(&without, "sh", "-c", "for f in /proc/self/fd/*; do readlink $f; done", (char *)NULL);
    run(&with, CBCTL_PATH, "run", "b", "--", "sh", "-c", "for f in /proc/self/fd/*; do readlink $f; done",
        (char *)NULL);
    cr_expect_null(strstr(with.out, "registryd"), "%s", with.out);
    cr_expect_null(strstr(with.out, "socket"), "%s", with.out);
    size_t lines[2] = {0};
    for (const char *c = with.out; *c; c++)
        lines[0] += *c == '\n';
    for (const char *c = without.out; *c; c++)
        lines[1] += *c == '\n';
    cr_expect_eq(lines[0], lines[1], "with:\n%swithout:\n%s", with.out, without.out);
    output_free(&with);
    output_free(&without);
}

Test(cbctl_run, what_cannot_be_shared_runs_all_the_same)
{
    struct daemon full;
    struct output output;
    daemon_start(&full, "--capacity", "1", (char *)NULL);
    run(&output, CBCTL_PATH, "--registry", full.registry, "run", "first", "--", "true", (char *)NULL);
    cr_expect_eq(output.status, 0, "%s", output.err);
    output_free(&output);
    run(&output, CBCTL_PATH, "--registry", full.registry, "run", "second", "--", "sh", "-c", "exit 7", (char *)NULL);
    cr_expect_eq(output.status, 7, "%d", output.status);
    cr_expect(strstr(output.err, "going on without a breaker") && strstr(output.err, "is full"), "%s", output.err);
    output_free(&output);
    expect_run(2, "no such name", "--", "true");
    expect_run(2, "b", "--policy", "window=9", "--", "true");
    daemon_stop(&full);

    run(&output, CBCTL_PATH, "--registry", "no-such-registry", "run", "b", "--", "sh", "-c", "exit 7", (char *)NULL);
    cr_expect_eq(output.status, 7, "%d", output.status);
    cr_expect(strstr(output.err, "going on without sharing; start it"), "%s", output.err);
    output_free(&output);
    run(&output, CBCTL_PATH, "--registry", "no such name", "run", "b", "--", "true", (char *)NULL);
    cr_expect(output.status == 2 && !strstr(output.err, "going on"), "%d: %s", output.status, output.err);
    output_free(&output);
}
