/* cbctl top on a terminal: what it shows, what its keys do, and that it leaves the terminal as it found it. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cbclient.h"
#include "tests/harness.h"
#include "tests/process/terminal.h"

#define LONG_NAME "a-name-that-is-much-longer-than-the-column-in-which-it-stands"

static struct daemon registry;
static cb_registry *handle;

static cb_breaker *breaker_of(const char *name)
{
    cb_breaker *breaker;
    int error = cb_get_or_create(handle, name, NULL, &breaker);
    cr_assert_eq(error, 0, "%s: %s", name, cb_last_error());
    return breaker;
}

static void begin(void)
{
    daemon_start(&registry, (char *)NULL);
    setenv("CB_REGISTRY", registry.registry, 1);
    setenv("CBCTL", CBCTL_PATH, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
    cr_assert_eq(cb_attach(NULL, &handle), 0, "%s", cb_last_error());
    breaker_of("mail");
    breaker_of("payments");
    breaker_of("search");
    terminal_open(registry.dir, 80, 24);
}

static void end(void)
{
    terminal_close();
    cb_detach(&handle);
    daemon_stop(&registry);
}

TestSuite(cbctl_top, .init = begin, .fini = end, .timeout = 100);

static void top_start(void)
{
    terminal_type("\"$CBCTL\" top; echo ended with $?");
    terminal_expect("BREAKER");
}

static struct cb_health health_of(const char *name)
{
    struct cb_health health;
    cr_assert_eq(cb_health_of(breaker_of(name), &health, sizeof health), 0, "%s", cb_last_error());
    return health;
}

/* `first` stands above `second`. */
static void expect_above(const char *first, const char *second)
{
    char *screen = terminal_read(0), *above = strstr(screen, first), *below = strstr(screen, second);
    cr_expect(above && below && above < below, "not '%s' above '%s':\n%s", first, second, screen);
    free(screen);
}

Test(cbctl_top, shows_what_is_wrong_first)
{
    breaker_of(LONG_NAME);
    cr_assert_eq(cb_trip(breaker_of("search"), NULL), 0);
    top_start();
    terminal_expect("4 breakers, 1 open, 3 closed");
    terminal_expect("registryd 1.0.0 is up, 1 process "); /* this one */
    terminal_expect("a-name-that-is-mu…");
    expect_above("search", "a-name");
    expect_above("a-name", "mail");
    cb_permit permit;
    for (int i = 0; i < 100; i++)
        cr_assert_eq(cb_acquire(breaker_of("search"), &permit), CB_REJECTED_OPEN);
    terminal_expect("█");
    terminal_press("q", (char *)NULL);
    terminal_expect("ended with 0");
}

Test(cbctl_top, sorts_and_filters)
{
    cr_assert_eq(cb_trip(breaker_of("search"), NULL), 0);
    top_start();
    terminal_expect("by trouble");
    terminal_press("s", (char *)NULL);
    terminal_expect("by name");
    expect_above("payments", "search");
    terminal_press("/", "p", "a", "y", (char *)NULL);
    terminal_expect("Only names with: pay");
    terminal_expect_not("search");
    terminal_press("Enter", (char *)NULL);
    terminal_expect("/pay  by name");
    terminal_press("Escape", (char *)NULL);
    terminal_expect("search");
    terminal_press("/", "n", "o", "n", "e", (char *)NULL);
    terminal_expect("No breaker has such a name");
}

Test(cbctl_top, begins_with_a_pattern)
{
    terminal_type("\"$CBCTL\" top 'm*'");
    terminal_expect("mail");
    terminal_expect("/m*  by trouble");
    terminal_expect_not("search");
}

Test(cbctl_top, details_are_a_page)
{
    cr_assert_eq(cb_trip(breaker_of("payments"), "card processor is down"), 0);
    top_start();
    terminal_press("Enter", (char *)NULL);
    terminal_expect("policy     all defaults");
    terminal_expect("card processor is down");
    terminal_expect_not("BREAKER");
    terminal_press("r", "Enter", "y", (char *)NULL);
    terminal_expect("payments: closed");
    terminal_expect("reset by an operator");
    terminal_press("Escape", (char *)NULL);
    terminal_expect("BREAKER");
    terminal_press("?", (char *)NULL);
    terminal_expect("calls and rejections, a column a look");
}

Test(cbctl_top, trips_and_resets_after_a_yes)
{
    struct output output;
    top_start();
    terminal_press("Down", "t", (char *)NULL);
    terminal_expect("trip payments, because (may be empty):");
    terminal_press("t", "e", "s", "t", "Enter", (char *)NULL);
    terminal_expect("trip payments? it opens now, for its usual time. y/n");
    terminal_press("n", (char *)NULL);
    terminal_expect_not("y/n");
    cr_expect_eq(health_of("payments").counts.state, CB_CLOSED);
    terminal_press("t", "Enter", "y", (char *)NULL);
    terminal_expect("payments: open, next probe in");
    run(&output, CBCTL_PATH, "show", "payments", (char *)NULL);
    cr_expect(output.status == 0 && strstr(output.out, "payments  open"), "%s%s", output.out, output.err);
    output_free(&output);
    terminal_expect("1 open, 2 closed");
    terminal_press("r", "Enter", "y", (char *)NULL);
    terminal_expect("payments: closed");
    cr_expect_eq(health_of("payments").counts.state, CB_CLOSED);
}

Test(cbctl_top, overrides_for_a_time_with_a_reason)
{
    top_start();
    terminal_press("o", (char *)NULL);
    terminal_expect("Override mail: f force-open");
    terminal_press("f", "5", "m", "Enter", "w", "h", "y", "Enter", "y", (char *)NULL);
    terminal_expect("mail: forced-open for 5m");
    struct cb_health health = health_of("mail");
    cr_expect(health.counts.state == CB_FORCED_OPEN && health.override_left_ms <= 300000 &&
              health.override_left_ms > 200000);
    cr_expect_str_eq(health.override_reason, "why");
    terminal_expect("1 forced-open");
    terminal_press("o", "a", "Enter", "y", (char *)NULL);
    terminal_expect("mail: closed");
    cr_expect_eq(health_of("mail").counts.state, CB_CLOSED);
}

Test(cbctl_top, follows_the_size_of_the_terminal)
{
    breaker_of(LONG_NAME);
    top_start();
    terminal_expect("LATELY");
    terminal_resize(40, 10);
    terminal_expect_not("LATELY");
    terminal_expect("a-name-that-… closed");
    terminal_press("Down", "t", (char *)NULL);
    terminal_expect("trip mail, because (may be empty):");
    terminal_press("Escape", "End", "Enter", (char *)NULL);
    terminal_expect("search  closed");
    terminal_press("Escape", (char *)NULL);
    terminal_resize(8, 3);
    terminal_expect("registr…");
    terminal_resize(200, 40);
    terminal_expect(LONG_NAME);
    terminal_expect("SLOW%");
}

Test(cbctl_top, goes_on_without_the_daemon)
{
    top_start();
    terminal_expect("is up");
    daemon_kill(&registry);
    terminal_expect("REGISTRYD DOES NOT ANSWER");
    terminal_expect("payments");
    terminal_press("t", "Enter", "y", (char *)NULL);
    terminal_expect("mail: not done: registryd does not answer");
    daemon_restart(&registry);
    terminal_expect("registryd 1.0.0 is up");
    terminal_press("t", "Enter", "y", (char *)NULL);
    terminal_expect("mail: open");
}

/* It may take seconds to find out that nobody answers; keys do not wait for that. */
Test(cbctl_top, goes_on_beside_a_stopped_daemon)
{
    top_start();
    terminal_expect("is up");
    kill(registry.pid, SIGSTOP);
    terminal_press("s", (char *)NULL);
    terminal_expect("by name");
    terminal_expect("REGISTRYD DOES NOT ANSWER");
    terminal_press("s", (char *)NULL);
    terminal_expect("by calls");
    terminal_press("q", (char *)NULL);
    terminal_expect("ended with 0");
    kill(registry.pid, SIGCONT);
}

/* The pid that a shell wrote down. */
static pid_t pid_read(const char *path)
{
    FILE *file = fopen(path, "r");
    int pid = 0;
    cr_assert(file && fscanf(file, "%d", &pid) == 1, "%s", path);
    fclose(file);
    return pid;
}

static void expect_terminal_as_before(void)
{
    terminal_expect_not("BREAKER");
    terminal_type("stty -a | tr ';' '\\n' | grep -o ' icanon\\| echo ' | tr -d '\\n'; echo .");
    terminal_expect(" icanon echo .");
}

Test(cbctl_top, leaves_the_terminal_as_it_was)
{
    char line[256], path[128];
    terminal_type("echo what was there before");
    top_start();
    terminal_press("q", (char *)NULL);
    terminal_expect("ended with 0");
    terminal_expect("what was there before");
    expect_terminal_as_before();

    terminal_type("clear");
    top_start();
    terminal_press("C-c", (char *)NULL);
    terminal_expect("ready>");
    expect_terminal_as_before();

    snprintf(path, sizeof path, "%s/pid", registry.dir);
    snprintf(line, sizeof line, "clear; sh -c 'echo $$ >%s; exec \"$CBCTL\" top'; echo ended with $?", path);
    terminal_type(line);
    terminal_expect("BREAKER");
    kill(pid_read(path), SIGTERM);
    terminal_expect("ended with 143");
    expect_terminal_as_before();
}

Test(cbctl_top, can_be_stopped_and_continued)
{
    top_start();
    terminal_press("C-z", (char *)NULL);
    terminal_expect("Stopped");
    expect_terminal_as_before();
    terminal_type("fg");
    terminal_expect("3 breakers, 3 closed");
    terminal_press("s", (char *)NULL);
    terminal_expect("by name");
}

/* How often the screen has `sequence`. */
static size_t escapes(const char *sequence)
{
    char *screen = terminal_read(1);
    size_t count = 0;
    for (const char *at = screen; (at = strstr(at, sequence)); at++)
        count++;
    free(screen);
    return count;
}

static size_t colours(void)
{
    size_t count = 0;
    for (int colour = 1; colour <= 7; colour++)
        count += escapes((char[]){'\033', '[', '3', (char)('0' + colour), '\0'});
    return count;
}

Test(cbctl_top, colour_is_for_those_who_want_it)
{
    cr_assert_eq(cb_trip(breaker_of("search"), NULL), 0);
    cr_assert_eq(cb_trip(breaker_of("mail"), NULL), 0);
    top_start();
    terminal_expect("2 open");
    cr_expect_gt(escapes("\033[1m\033[31mopen"), 0);
    terminal_press("q", (char *)NULL);
    terminal_expect("ended with 0");
    terminal_type("clear; export NO_COLOR=1");
    top_start();
    terminal_expect("2 open");
    cr_expect_eq(colours(), 0);
    cr_expect_gt(escapes("\033[7m"), 0, "the cursor shows all the same");
}

Test(cbctl_top, old_terminals_and_locales_will_do)
{
    breaker_of(LONG_NAME);
    cr_assert_eq(cb_trip(breaker_of("search"), NULL), 0);
    terminal_type("export TERM=vt100 LC_ALL=C");
    top_start();
    terminal_expect("a-name-that-is-mu~");
    cr_expect_eq(colours(), 0);
    cb_permit permit;
    cr_assert_eq(cb_acquire(breaker_of("search"), &permit), CB_REJECTED_OPEN);
    terminal_expect("#");
}

Test(cbctl_top, draws_on_terminals_only)
{
    struct output output;
    run(&output, CBCTL_PATH, "top", (char *)NULL);
    cr_expect(output.status == 1 && !*output.out && strstr(output.err, "`cbctl list`"), "%d: %s%s", output.status,
              output.out, output.err);
    output_free(&output);
    terminal_type("TERM=dumb \"$CBCTL\" top; echo ended with $?");
    terminal_expect("top cannot draw on a terminal of type 'dumb' (TERM); use `cbctl list`");
    terminal_expect("ended with 1");
}
