/* What a worker calls itself goes to logs, terminals and browsers as text: it can neither drive them nor forge a line. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "libcbclient/cbclient.h"
#include "tests/process/await.h"
#include "tests/process/web.h"

#define NAME  "\033[2J\n\r\"\\<b>\xff\xc2\x9b"
#define TAMED "?[2J??\"\\<b>???"

static struct daemon host;
static FILE *log_file;
static pid_t worker;
static int ready[2];

static void trips_and_hangs(void *arg)
{
    cb_registry *registry;
    cb_breaker *breaker, *other;
    cb_permit permit;
    (void)arg;
    prctl(PR_SET_NAME, NAME);
    child_check(cb_attach(host.registry, &registry) == 0);
    child_check(cb_get_or_create(registry, "b", "failure_threshold=1", &breaker) == 0);
    child_check(cb_get_or_create(registry, "other", "", &other) == 0);
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED && cb_failure(&permit) == 0);
    child_check(cb_acquire(other, &permit) == CB_ADMITTED);
    child_check(write(ready[1], "", 1) == 1);
    for (;;)
        pause();
}

static void begin(void)
{
    char byte;
    log_file = tmpfile();
    dup2(fileno(log_file), STDERR_FILENO);
    daemon_start(&host, "--http", "0", "--capacity", "16", NULL);
    cr_assert_eq(pipe(ready), 0);
    worker = fork_child(trips_and_hangs, NULL);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
}

static void end(void)
{
    kill(worker, SIGKILL);
    child_wait(worker);
    daemon_stop(&host);
}

TestSuite(http_hostile, .init = begin, .fini = end, .timeout = 60);

/* Plain lines, in UTF-8 (here: ASCII), with the name in one of its written forms somewhere. */
static void expect_tame(const char *what, const char *text, const char *name)
{
    cr_expect(strstr(text, name), "%s: nothing of %s in %s", what, name, text);
    for (const char *at = text; *at; at++)
        cr_expect((*at >= ' ' && *at <= '~') || *at == '\n', "%s: byte 0x%02x", what, (unsigned)(unsigned char)*at);
}

static void expect_tame_command(const char *command, const char *option, const char *name)
{
    struct output output;
    run(&output, CBCTL_PATH, "--registry", host.registry, command, "b", option, (char *)NULL);
    expect_tame(command, output.out, name);
    output_free(&output);
}

static char *log_read(void)
{
    size_t length;
    char *text = NULL;
    FILE *from = fopen("/proc/self/fd/2", "r"), *to = open_memstream(&text, &length);
    for (int c; (c = fgetc(from)) != EOF;)
        fputc(c, to);
    fclose(from);
    fclose(to);
    return text;
}

static bool log_has(const char *words)
{
    char *text = log_read();
    bool found = strstr(text, words) != NULL;
    free(text);
    return found;
}

Test(http_hostile, the_log_has_no_line_that_a_worker_wrote)
{
    wait_until(log_has("breaker b: "));
    char *text = log_read();
    expect_tame("the log", text, TAMED);
    free(text);
}

Test(http_hostile, cbctl_prints_text)
{
    struct output output;
    wait_until(log_has("breaker b: "));
    expect_tame_command("history", NULL, TAMED);
    expect_tame_command("history", "--json", "?[2J??\\\"\\\\<b>???");
    run(&output, CBCTL_PATH, "--registry", host.registry, "calls", (char *)NULL);
    expect_tame("calls", output.out, TAMED);
    output_free(&output);
    run(&output, CBCTL_PATH, "--registry", host.registry, "workers", (char *)NULL);
    expect_tame("workers", output.out, TAMED);
    output_free(&output);
}

/* Each event is one line of a stream, whatever is in it. */
Test(http_hostile, events_over_http_are_text)
{
    char line[4096] = "";
    unsigned port = web_port(&host);
    FILE *stream = fdopen(web_connect(port), "r+");
    setbuf(stream, NULL);
    fputs("GET /api/v1/events?after=0 HTTP/1.0\r\nHost: localhost\r\n\r\n", stream);
    while (!strstr(line, "\"cause\":\"streak\""))
        cr_assert(fgets(line, sizeof line, stream));
    expect_tame("events", line, "\"command\":\"?[2J??\\\"\\\\<b>???\"");
    fclose(stream);
}
