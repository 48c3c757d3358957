/* cbctl against a real daemon: what it prints, what it changes, and its exit codes. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/process/cbctl.h"

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

TestSuite(cbctl, .init = begin, .fini = end);

#define cbctl(output, ...) run(output, CBCTL_PATH, __VA_ARGS__, (char *)NULL)

Test(cbctl, an_empty_registry_says_so)
{
    expect(0, "has no breakers yet", "list");
    expect(0, "[]", "list", "--json");
    expect(0, "no process is attached", "workers");
    expect(0, "registryd", "ping");
    expect(0, "\"round_trip_ns\"", "ping", "--json");
}

Test(cbctl, an_operator_throws_a_breaker)
{
    expect(0, "payments: failure_threshold=3 open_timeout=1m", "create", "payments", "failure_threshold=3",
           "open_timeout=60s");
    expect(0, "payments: open, next probe in 1m", "trip", "payments", "--reason", "test");
    expect(0, "payments: closed", "reset", "payments");
    expect(0, "payments: forced-open until `cbctl auto payments`", "force-open", "payments");
    expect(0, "payments: closed", "auto", "payments");
    expect(0, "payments: disabled for 2h", "disable", "payments", "--for", "2h", "--reason", "bank maintenance");
    expect(0, "bank maintenance", "list");
    expect(0, "for another 2h: bank maintenance", "show", "payments");
    expect(0, "payments: metrics-only", "metrics-only", "payments");
    expect(0, "all breakers reset", "reset", "--all");
    expect(0, "\"state\": \"closed\"", "show", "payments", "--json");
    expect(0, "payments: removed", "remove", "payments");
    expect(3, "no breaker 'payments'", "show", "payments");
}

Test(cbctl, an_override_ends_by_itself)
{
    expect(0, "", "create", "b");
    expect(0, "b: ", "force-open", "b", "--for", "1ms"); /* may be over before it is printed */
    struct output output = {.out = NULL};
    do { /* each round asks the daemon, so this is bounded by the harness's deadline */
        if (output.out)
            output_free(&output);
        cbctl(&output, "run", "b", "--", "true");
    } while (output.status == 75);
    cr_expect_eq(output.status, 0, "%s", output.err);
    output_free(&output);
    expect(0, "\"override\": null", "show", "b", "--json");
}

Test(cbctl, create_never_changes_what_exists)
{
    expect(0, "", "create", "b", "failure_threshold=2");
    expect(0, "exists already", "create", "b", "failure_threshold=2");
    expect(1, "exists, with another policy: failure_threshold=2", "create", "b", "failure_threshold=9");
    expect(0, "\"policy\": \"failure_threshold=2\"", "show", "b", "--json");
    expect(0, "b: failure_threshold=9", "set", "b", "failure_threshold=9");
    expect(0, "b: all defaults", "set", "b");
}

Test(cbctl, list_takes_a_pattern)
{
    expect(0, "", "create", "mail");
    expect(0, "", "create", "pay/eu");
    expect(0, "", "create", "pay/us");
    struct output output;
    cbctl(&output, "list", "--names", "pay*");
    cr_expect_str_eq(output.out, "pay/eu\npay/us\n");
    output_free(&output);
    cbctl(&output, "list");
    cr_expect_null(strchr(output.out, '\033'), "colour belongs on a terminal only");
    cr_expect_eq(strncmp(output.out, "NAME ", 5), 0, "%s", output.out);
    output_free(&output);
    expect(3, "matches 'x*'", "list", "x*");
}

Test(cbctl, history_tells_who_and_why)
{
    expect(0, "", "create", "b", "failure_threshold=1");
    expect(1, "", "run", "b", "--", "false");
    expect(0, "open: 1 consecutive failure (threshold 1)", "history", "b");
    expect(0, "b: closed", "reset", "b");
    expect(0, "\"cause\": \"operator reset\"", "history", "--json");
    expect(3, "nowhere", "history", "nowhere");
}

Test(cbctl, wrong_usage_is_told_apart)
{
    static char long_name[65];
    memset(long_name, 'n', sizeof long_name - 1);
    expect(2, "there is no command 'lst'", "lst");
    expect(2, "unknown option --jason", "list", "--jason");
    expect(2, "--for does not belong here", "list", "--for", "1s");
    expect(2, "--for needs a value", "disable", "b", "--for");
    expect(2, "not a duration", "disable", "b", "--for", "soon");
    expect(2, "not a duration", "disable", "b", "--for", "-1s");
    expect(2, "cbctl: show: too few arguments\nusage: cbctl show NAME", "show");
    expect(2, "cbctl: show: too many arguments\nusage: cbctl show NAME", "show", "a", "b");
    expect(2, "either a NAME or --all", "reset");
    expect(2, "either a NAME or --all", "reset", "b", "--all");
    expect(2, "comes after \"--\"", "run", "b", "true");
    expect(2, "name", "create", "no blanks");
    expect(2, "name", "create", "");
    expect(2, "name", "create", long_name);
    expect(0, "", "create", long_name + 1);
    expect(2, "colour", "create", "b", "colour=red");
    expect(3, "no breaker 'b'", "trip", "b");
    expect(0, "usage: cbctl run NAME [--policy POLICY] [--timeout DURATION] -- COMMAND", "run", "--help");
    expect(0, "Exit status", "--help");
    expect(0, "cbctl 1.", "--version");
}

Test(cbctl, a_reason_that_cannot_be_kept_is_refused)
{
    static char reason[129];
    memset(reason, 'r', sizeof reason - 1);
    expect(0, "", "create", "b");
    expect(2, "reason", "disable", "b", "--reason", reason);
    expect(2, "reason", "disable", "b", "--reason", "two\nlines");
    expect(0, "b: disabled", "disable", "b", "--reason", reason + 1);
}

Test(cbctl, reading_needs_no_daemon)
{
    expect(0, "", "create", "b", "failure_threshold=1", "open_timeout=1h");
    expect(1, "", "run", "b", "--", "false");
    daemon_kill(&registry);
    expect(0, "open", "list");
    expect(0, "next probe in 1h", "show", "b");
    expect(0, "open: 1 consecutive failure (threshold 1)", "history");
    expect(75, "b: rejected:open, next probe in 1h", "run", "b", "--", "true");
    expect(4, "registryd is not running", "ping");
    expect(4, "registryd is not running", "reset", "b");
    expect(4, "start it with `registryd --registry", "reset", "--all");
    expect(4, "registryd", "create", "another");
    daemon_restart(&registry);
    expect(0, "b: closed", "reset", "b");
}

Test(cbctl, a_stopped_daemon_holds_nobody_up_for_long)
{
    expect(0, "", "create", "b");
    kill(registry.pid, SIGSTOP);
    expect(0, "b ", "list");
    expect(0, "", "run", "b", "--", "true");
    expect(4, "or is stopped", "trip", "b");
    kill(registry.pid, SIGCONT);
    expect(0, "b: open", "trip", "b");
}

/* Complete the last of `words` as bash would, and print the offers in one line. */
static void complete(struct output *output, const char *words)
{
    static const char script[] = "source " SOURCE_DIR "/tools/completion/cbctl.bash\n"
                                 "PATH=${1%/*}:$PATH; read -ra COMP_WORDS <<< \"$2\"; [[ $2 == *' ' ]] && "
                                 "COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=$2; "
                                 "COMP_POINT=${#2}; _cbctl 2>/dev/null; echo \"${COMPREPLY[*]}\"";
    run(output, "bash", "-c", script, "bash", CBCTL_PATH, words, (char *)NULL);
}

static void expect_completion(const char *words, const char *offers)
{
    struct output output;
    complete(&output, words);
    cr_expect_str_eq(output.out, offers, "%s: %s", words, output.out);
    output_free(&output);
}

Test(cbctl, bash_completes_what_there_is)
{
    expect(0, "", "create", "payments");
    expect(0, "", "create", "pictures");
    expect_completion("cbctl tr", "trip\n");
    expect_completion("cbctl trip p", "payments pictures\n");
    expect_completion("cbctl show pa", "payments\n");
    expect_completion("cbctl set payments failure_t", "failure_threshold=\n");
    expect_completion("cbctl set payments open_timeout=1s jit", "jitter=\n");
    expect_completion("cbctl force-open payments --f", "--for\n");
    expect_completion("cbctl run payments -- sha512su", "sha512sum\n");
}

Test(cbctl_alone, without_a_registry_it_says_what_to_start)
{
    unsetenv("CB_REGISTRY");
    expect(4, "registry 'cbctl-none': registryd is not running; start it with `registryd --registry cbctl-none &`",
           "list", "--registry", "cbctl-none");
    expect(4, "registry 'cbctl-none'", "--registry", "cbctl-none", "trip", "b");
    expect(4, "registry 'cbctl-none'", "create", "b", "--registry", "cbctl-none");
    expect(0, "hello", "run", "--registry", "cbctl-none", "b", "--", "echo", "hello");
    expect(0, "going on without sharing", "run", "--registry", "cbctl-none", "b", "--", "true");
    expect(2, "name", "list", "--registry", "no/slash\nhere");
}
