/* The configured command that runs on transitions: what it is told, that nothing in it is executed, one at a time a
 * breaker, within its deadline. */
#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/harness.h"
#include <cbclient.h>

static struct daemon server;
static cb_registry *registry;
static char dir[64];
static FILE *log_file;

static const char *in_dir(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void file_write(const char *name, mode_t mode, const char *text)
{
    FILE *file = fopen(in_dir(name), "w");
    cr_assert(file, "%s: %s", in_dir(name), strerror(errno));
    fputs(text, file);
    fclose(file);
    chmod(in_dir(name), mode);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static pid_t owner;

/* Also when a test fails. */
static void dir_remove(void)
{
    if (getpid() == owner)
        nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A daemon whose hook is a script of these lines, run in `dir`; `settings` are further lines of its configuration. */
static void begin(const char *script, const char *settings)
{
    char text[1024], path[128];
    strcpy(dir, "/tmp/registryd-hook-XXXXXX");
    cr_assert(mkdtemp(dir));
    owner = getpid();
    atexit(dir_remove);
    snprintf(text, sizeof text, "#!/bin/sh\ncd %s || exit 1\n%s\n", dir, script);
    file_write("hook", 0700, text);
    snprintf(text, sizeof text, "[registryd]\ncapacity = 16\nhook = %s/hook\n%s\n", dir, settings);
    file_write("conf", 0600, text);
    log_file = tmpfile();
    dup2(fileno(log_file), STDERR_FILENO);
    snprintf(path, sizeof path, "%s/conf", dir);
    daemon_start(&server, "--config", path, (char *)NULL);
    cr_assert_eq(cb_attach(server.registry, &registry), 0);
}

static void end(void)
{
    cb_detach(&registry);
    daemon_stop(&server);
}

static cb_breaker *breaker_of(const char *name)
{
    cb_breaker *breaker;
    cr_assert_geq(cb_get_or_create(registry, name, NULL, &breaker), 0, "%s", cb_last_error());
    return breaker;
}

/* ---- what files say ---- */

static bool file_has(FILE *file, const char *words, unsigned times)
{
    char line[2048];
    while (file && times > 0 && fgets(line, sizeof line, file))
        times -= strstr(line, words) != NULL;
    if (file)
        fclose(file);
    return times == 0;
}

/* So many lines with these words come, in the hook's output or in the daemon's log. */
static void expect_lines(const char *path, const char *words, unsigned times)
{
    for (int i = 0; i < HARNESS_DEADLINE_MS / 10; i++) {
        if (file_has(fopen(path, "r"), words, times))
            return;
        poll(NULL, 0, 10);
    }
    cr_assert_fail("%s has no %u lines with: %s", path, times, words);
}

static void expect_told(const char *words, unsigned times)
{
    expect_lines(in_dir("told"), words, times);
}

static void expect_logged(const char *words)
{
    expect_lines("/proc/self/fd/2", words, 1);
}

/* A hook that waits until there is a file of this name goes on. */
#define WAIT "\nwhile [ ! -e \"go-$CB_REASON\" ]; do sleep 0.01; done"
static void release(const char *name)
{
    file_write(name, 0600, "");
}

/* ---- the tests ---- */

#define TELL                                                                                                           \
    "printf '%s\\n' \"$# $1 $2 $3 $CB_BREAKER $CB_FROM $CB_TO $CB_CAUSE ($CB_TEXT) ($CB_REASON) $CB_SKIPPED\" >> told"

Test(hook, is_told_what_happened_and_executes_nothing_of_it)
{
    char expected[256];
    begin(TELL "\nprintf '%s\\n' \"$CB_REGISTRY $CB_TIME $CB_SEQUENCE $CB_UID $CB_PID $CB_COMMAND $PWD\" >> told\n"
               "env | cut -d= -f1 | grep -v '^\\(CB_.*\\|PATH\\|PWD\\|OLDPWD\\|_\\|SHLVL\\)$' >> told",
          "");
    cr_assert_eq(cb_trip(breaker_of("pay/eu"), "$(touch executed) `touch executed`; \"q\" 'q' > executed"), 0);
    expect_told("3 pay/eu closed open pay/eu closed open operator trip (open: tripped by an operator) "
                "($(touch executed) `touch executed`; \"q\" 'q' > executed) 0\n",
                1);
    snprintf(expected, sizeof expected, "Z 2 %u %d test_hook %s\n", (unsigned)getuid(), (int)getpid(), dir);
    expect_told(expected, 1);
    expect_told(server.registry, 1);
    cr_expect_eq(access(in_dir("executed"), F_OK), -1);
    FILE *told = fopen(in_dir("told"), "r");
    char line[1024];
    unsigned lines = 0;
    while (fgets(line, sizeof line, told))
        lines++;
    fclose(told);
    cr_expect_eq(lines, 2, "nothing else of the daemon's environment: %s", line);
    end();
}

Test(hook, one_at_a_time_a_breaker_and_then_the_newest)
{
    begin(TELL WAIT, "");
    cb_breaker *slow = breaker_of("slow");
    cr_assert_eq(cb_trip(slow, "first"), 0);
    expect_told("(first) 0", 1);
    cr_assert_eq(cb_reset(slow, "second"), 0);
    cr_assert_eq(cb_trip(slow, "third"), 0);
    cr_assert_eq(cb_reset(slow, "fourth"), 0);
    cr_assert_eq(cb_trip(breaker_of("other"), "meanwhile"), 0);
    expect_told("(meanwhile) 0", 1); /* has come after them all, and those of `slow` still wait */
    cr_expect(!file_has(fopen(in_dir("told"), "r"), "slow", 2));
    release("go-first");
    expect_told("(fourth) 2\n", 1);
    release("go-fourth");
    release("go-meanwhile");
    cr_expect(!file_has(fopen(in_dir("told"), "r"), "slow", 3), "two are passed over");
    end();
}

static bool is_alive(const char *pid)
{
    char path[64], state = 'X';
    snprintf(path, sizeof path, "/proc/%d/stat", atoi(pid));
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'X';
    if (file)
        fclose(file);
    return file && state != 'Z' && state != 'X';
}

Test(hook, ends_with_all_that_it_started_when_its_time_is_up)
{
    char pid[32] = "";
    begin("sleep 1000 & echo $! > child\nwait", "hook_timeout = 300ms");
    cr_assert_eq(cb_trip(breaker_of("b"), NULL), 0);
    expect_logged("was killed, for it was not done after so many ms: 300\n");
    FILE *child = fopen(in_dir("child"), "r");
    cr_assert(child && fgets(pid, sizeof pid, child));
    fclose(child);
    for (int i = 0; i < HARNESS_DEADLINE_MS / 10 && is_alive(pid); i++)
        poll(NULL, 0, 10);
    cr_expect(!is_alive(pid), "its child is left");
    end();
}

Test(hook, that_fails_is_told_and_is_no_obstacle)
{
    begin(TELL "\n[ $3 = open ] && exit 3\nkill -9 $$", "");
    cb_breaker *breaker = breaker_of("b");
    cr_assert_eq(cb_trip(breaker, NULL), 0);
    expect_logged("for breaker b (open): exited with 3\n");
    cr_assert_eq(cb_reset(breaker, NULL), 0);
    expect_logged("for breaker b (closed): was killed by signal 9\n");
    unlink(in_dir("hook"));
    cr_assert_eq(cb_trip(breaker, NULL), 0);
    expect_logged("for breaker b cannot be started: ");
    end();
}

Test(hook, runs_for_what_happened_while_the_daemon_was_away)
{
    begin(TELL, "[b]\nfailure_threshold = 1");
    cb_permit permit;
    cb_breaker *breaker = breaker_of("b");
    daemon_kill(&server);
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cb_failure(&permit);
    daemon_restart(&server);
    expect_told("3 b closed open b closed open streak (open: 1 consecutive failure (threshold 1)) () 0\n", 1);
    end();
}

Test(hook, inherits_nothing_but_its_output)
{
    begin("echo $(ls /proc/self/fd) $(grep -E 'Sig(Blk|Ign)' /proc/self/status) >> told", "http = 127.0.0.1:0");
    cr_assert_eq(cb_trip(breaker_of("b"), NULL), 0);
    expect_told("0 1 2 3 SigBlk: 0000000000000000 SigIgn: 0000000000000000\n", 1); /* 3 is the folder that ls reads */
    end();
}

Test(hook, that_is_configured_no_more_runs_no_more)
{
    begin(WAIT "\nexit 3", "");
    cb_breaker *breaker = breaker_of("b");
    cr_assert_eq(cb_trip(breaker, "one"), 0);
    cr_assert_eq(cb_reset(breaker, "two"), 0); /* it waits */
    file_write("conf", 0600, "[registryd]\ncapacity = 16\n");
    kill(server.pid, SIGHUP);
    expect_logged("was reloaded");
    release("go-one");
    expect_logged("exited with 3");
    cr_assert_eq(cb_ping(registry, NULL, NULL), 0); /* what the end of the one has led to is done */
    cr_expect(!file_has(fopen("/proc/self/fd/2", "r"), "cannot be started", 1));
    end();
}

Test(hook, runs_for_what_an_operator_did_without_the_daemon)
{
    struct output output;
    begin(TELL, "[b]");
    cr_assert_eq(cb_trip(breaker_of("b"), "told once"), 0);
    expect_told("(told once) 0\n", 1);
    daemon_kill(&server);
    run(&output, CBCTL_PATH, "reset", "b", "--registry", server.registry, "--offline", "--reason", "by hand", NULL);
    cr_assert_eq(output.status, 0, "%s", output.err);
    output_free(&output);
    daemon_restart(&server);
    expect_told("3 b open closed b open closed operator reset (closed: reset by an operator) (by hand) 0\n", 1);
    cr_expect(!file_has(fopen(in_dir("told"), "r"), "told once", 2));
    end();
}

Test(hook, ends_with_the_daemon)
{
    begin("echo $$ > child" WAIT, "");
    cr_assert_eq(cb_trip(breaker_of("b"), NULL), 0);
    expect_lines(in_dir("child"), "", 1);
    cr_expect_eq(daemon_term(&server), 0);
    daemon_restart(&server);
    end();
}

Test(hook, that_cannot_be_run_is_refused)
{
    static const char *const bad[] = {"hook = relative",     "hook = /does/not/exist", "hook = /etc/passwd",
                                      "hook_timeout = soon", "hook_timeout = 1ms",     "hook_timeout = 2h"};
    static const char *const says[] = {"absolute path",
                                       "no file that can be run",
                                       "no file that can be run",
                                       "duration from 100ms to 1h",
                                       "100ms",
                                       "1h"};
    begin("true", "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct output output;
        char text[128];
        snprintf(text, sizeof text, "[registryd]\n%s\n", bad[i]);
        file_write("conf", 0600, text);
        run(&output, REGISTRYD_PATH, "--check", "--config", in_dir("conf"), (char *)NULL);
        cr_expect(output.status == 1 && strstr(output.err, ":2: ") && strstr(output.err, says[i]), "%s: %d %s", bad[i],
                  output.status, output.err);
        output_free(&output);
    }
    end();
}
