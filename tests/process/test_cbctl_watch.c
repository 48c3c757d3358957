/* cbctl watch: lines as things happen, through the daemon's absence, until it is interrupted or nobody reads on. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

static struct daemon server;

/* cbctl with its outputs on pipes. */
struct watcher {
    pid_t pid;
    FILE *out, *err;
    int fds[4]; /* out's two ends, then err's */
    char **arguments;
};

static void begin(void)
{
    daemon_start(&server, "--capacity", "16", (char *)NULL);
    setenv("CB_REGISTRY", server.registry, 1);
}

static void end(void)
{
    daemon_stop(&server);
}

TestSuite(cbctl_watch, .init = begin, .fini = end);

static void become_cbctl(void *arg)
{
    struct watcher *watcher = arg;
    dup2(watcher->fds[1], STDOUT_FILENO);
    dup2(watcher->fds[3], STDERR_FILENO);
    execv(CBCTL_PATH, watcher->arguments);
    _exit(127);
}

static void watcher_start(struct watcher *watcher, char **arguments)
{
    watcher->arguments = arguments;
    cr_assert(pipe2(&watcher->fds[0], O_CLOEXEC) == 0 && pipe2(&watcher->fds[2], O_CLOEXEC) == 0);
    watcher->pid = fork_child(become_cbctl, watcher);
    close(watcher->fds[1]);
    close(watcher->fds[3]);
    watcher->out = fdopen(watcher->fds[0], "r");
    watcher->err = fdopen(watcher->fds[2], "r");
    setvbuf(watcher->out, NULL, _IONBF, 0);
    setvbuf(watcher->err, NULL, _IONBF, 0);
}

static int watcher_end(struct watcher *watcher, int signal)
{
    kill(watcher->pid, signal);
    int status = child_wait(watcher->pid);
    fclose(watcher->out);
    fclose(watcher->err);
    return status;
}

/* The next line has these words. */
static void expect_line(FILE *stream, const char *words)
{
    char line[1024];
    struct pollfd ready = {fileno(stream), POLLIN, 0};
    cr_assert_eq(poll(&ready, 1, HARNESS_DEADLINE_MS), 1, "nothing comes; wanted: %s", words);
    cr_assert(fgets(line, sizeof line, stream), "it has ended; wanted: %s", words);
    cr_assert(strstr(line, words), "%s instead of: %s", line, words);
}

static void cbctl(const char *command)
{
    struct output output;
    char line[512];
    snprintf(line, sizeof line, "%s %s", CBCTL_PATH, command);
    run(&output, "sh", "-c", line, (char *)NULL);
    cr_assert_eq(output.status, 0, "%s: %s", line, output.err);
    output_free(&output);
}

static char *plain[] = {(char[]){"cbctl"}, (char[]){"watch"}, NULL};
static char *json[] = {(char[]){"cbctl"}, (char[]){"watch"}, (char[]){"b"}, (char[]){"--json"}, NULL};

/* It is watching once it says that it misses the daemon, and that this one is back. */
static void wait_until_it_watches(struct watcher *watcher)
{
    daemon_kill(&server);
    expect_line(watcher->err, "registryd is away");
    daemon_restart(&server);
    expect_line(watcher->err, "registryd is back");
}

Test(cbctl_watch, prints_a_line_as_it_happens)
{
    struct watcher watcher;
    cbctl("create b failure_threshold=1");
    watcher_start(&watcher, plain);
    wait_until_it_watches(&watcher);
    cbctl("run b -- false || true");
    expect_line(watcher.out, "  b  open: 1 consecutive failure (threshold 1), by cbctl[");
    cbctl("reset b --reason 'is back'");
    expect_line(watcher.out, "): is back\n");
    wait_until_it_watches(&watcher);
    cbctl("remove b");
    expect_line(watcher.out, "  b  removed, by ");
    cr_assert_eq(watcher_end(&watcher, SIGINT), 0);
}

Test(cbctl_watch, prints_json)
{
    struct watcher watcher;
    watcher_start(&watcher, json);
    wait_until_it_watches(&watcher);
    cbctl("create a");
    cbctl("create b");
    expect_line(watcher.out, "{\"sequence\": 2, \"time\": \"20");
    cbctl("force-open b --for 1m --reason '<b>'");
    expect_line(watcher.out, "\"to\": \"forced-open\"");
    cr_assert_eq(watcher_end(&watcher, SIGTERM), 0);
}

Test(cbctl_watch, ends_when_nobody_reads)
{
    struct watcher watcher;
    watcher_start(&watcher, plain);
    wait_until_it_watches(&watcher);
    fclose(watcher.out);
    cr_assert_eq(child_wait(watcher.pid), 0);
    fclose(watcher.err);
}
