/* What the daemon logs, and how it comes to systemd's journal. A stand-in for that is put where it listens, in a mount
 * namespace of the test's own. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/harness.h"

static struct daemon server;
static FILE *lines;

static void redirect_stderr(void)
{
    lines = tmpfile();
    dup2(fileno(lines), STDERR_FILENO);
}

static void cbctl(const char *command)
{
    struct output output;
    char line[512];
    snprintf(line, sizeof line, "%s --registry %s %s", CBCTL_PATH, server.registry, command);
    run(&output, "sh", "-c", line, (char *)NULL);
    cr_assert_eq(output.status, 0, "%s: %s", line, output.err);
    output_free(&output);
}

/* Does the log have a line with these words? It is written before the daemon answers; a worker's, soon after. */
static bool has_line(const char *words)
{
    char line[1024];
    for (int i = 0; i < HARNESS_DEADLINE_MS / 10; i++) {
        FILE *file = fopen("/proc/self/fd/2", "r");
        bool found = false;
        while (!found && fgets(line, sizeof line, file))
            found = strstr(line, words) != NULL;
        fclose(file);
        if (found)
            return true;
        poll(NULL, 0, 10);
    }
    return false;
}

static unsigned line_count(const char *words)
{
    char line[1024];
    unsigned count = 0;
    FILE *file = fopen("/proc/self/fd/2", "r");
    while (fgets(line, sizeof line, file))
        count += strstr(line, words) != NULL;
    fclose(file);
    return count;
}

Test(log, one_line_says_which_breaker_what_why_by_whom_and_what_follows)
{
    redirect_stderr();
    daemon_start(&server, "--capacity", "16", (char *)NULL);
    cbctl("create b failure_threshold=2 open_timeout=30s");
    cr_expect_eq(line_count("breaker b"), 0, "creations are no news");
    cbctl("run b -- false || true");
    cr_expect_eq(line_count("breaker b"), 0, "quiet while all is well");
    cbctl("run b -- false || true");
    cr_expect(has_line("breaker b: open: 2 consecutive failures (threshold 2), seen by cbctl["));
    cr_expect(has_line("; next probe in 30.0 s\n"));
    cbctl("force-open b --for 5m --reason 'ticket 4711'");
    cr_expect(has_line("breaker b: forced-open: imposed by an operator for 5m, by uid "));
    cr_expect(has_line("): ticket 4711\n"));
    cbctl("auto b");
    cbctl("set b jitter=5");
    cr_expect(has_line("breaker b: policy changed, by uid "));
    cbctl("remove b --reason 'over'");
    cr_expect(has_line("breaker b: removed, by uid "));
    cr_expect_eq(line_count("breaker b"), 5);
    daemon_stop(&server);
}

/* ---- the journal ---- */

static int journal_fd;

static bool journal_stand_in(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/run", "tmpfs", 0, NULL) != 0)
        return false;
    mkdir("/run/systemd", 0755);
    mkdir("/run/systemd/journal", 0755);
    journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return bind(journal_fd, (struct sockaddr *)&address, sizeof address) == 0;
}

/* stderr is the journal, as far as systemd's variable says. */
static void claim_journal(void)
{
    struct stat status;
    char text[64];
    fstat(STDERR_FILENO, &status);
    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    setenv("JOURNAL_STREAM", text, 1);
}

/* The entry that has these words: fields by lines, "KEY=value". */
static void entry_with(const char *words, char *entry, size_t size)
{
    struct pollfd ready = {journal_fd, POLLIN, 0};
    do {
        cr_assert_eq(poll(&ready, 1, HARNESS_DEADLINE_MS), 1, "no entry has: %s", words);
        ssize_t length = recv(journal_fd, entry, size - 1, 0);
        entry[length > 0 ? length : 0] = '\0';
    } while (!strstr(entry, words));
}

Test(log, entries_with_fields_go_to_the_journal)
{
    char entry[4096], field[128];
    redirect_stderr();
    if (!journal_stand_in())
        cr_skip_test("no mount namespace to be had");
    claim_journal();
    daemon_start(&server, "--capacity", "16", (char *)NULL);
    cbctl("create b");
    cbctl("trip b --reason 'ticket 4711'");
    entry_with("CB_BREAKER=b\n", entry, sizeof entry);
    snprintf(field, sizeof field, "CB_REGISTRY=%s\n", server.registry);
    const char *const fields[] = {"PRIORITY=5\n",
                                  "SYSLOG_IDENTIFIER=registryd\n",
                                  "CB_FROM=closed\n",
                                  "CB_TO=open\n",
                                  "CB_CAUSE=operator trip\n",
                                  "CB_REASON=ticket 4711\n",
                                  "MESSAGE=breaker b: open: tripped by an operator, by uid ",
                                  field};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        cr_expect(strstr(entry, fields[i]), "%s is not in\n%s", fields[i], entry);
    cr_expect_eq(line_count("breaker"), 0, "and no line on stderr");
    unsetenv("JOURNAL_STREAM");
    daemon_stop(&server);
}

/* systemd's variable is inherited by all; whose stderr went elsewhere since writes plain lines there. */
Test(log, somebody_elses_journal_is_not_ours)
{
    redirect_stderr();
    setenv("JOURNAL_STREAM", "1:1", 1);
    daemon_start(&server, "--capacity", "16", (char *)NULL);
    cbctl("create b");
    cbctl("trip b");
    cr_expect(has_line("registryd: breaker b: open: tripped by an operator"));
    unsetenv("JOURNAL_STREAM");
    daemon_stop(&server);
}
