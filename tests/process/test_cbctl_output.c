/* What cbctl prints: JSON that parses, colour on terminals only, names that cannot be clipped. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

static struct daemon registry;

static void begin(void)
{
    daemon_start(&registry, (char *)NULL);
    setenv("CB_REGISTRY", registry.registry, 1);
    setenv("CBCTL", CBCTL_PATH, 1);
    setenv("TRACES", SOURCE_DIR "/tests/traces", 1);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
}

static void end(void)
{
    daemon_stop(&registry);
}

TestSuite(cbctl_output, .init = begin, .fini = end);

static void shell(struct output *output, const char *command)
{
    run(output, "bash", "-o", "pipefail", "-c", command, (char *)NULL);
}

static void expect_done(const char *command)
{
    struct output output;
    shell(&output, command);
    cr_expect_eq(output.status, 0, "%s: %d\n%s%s", command, output.status, output.out, output.err);
    output_free(&output);
}

Test(cbctl_output, every_command_with_json_prints_one_value)
{
    static const char *const commands[] = {
        "list",
        "workers",
        "ping",
        "create b jitter=1",
        "create b jitter=1",
        "set b jitter=2 window=count:5",
        "trip b --reason '\"quoted\" \\ \303\251'",
        "reset b",
        "force-open b --for 1m --reason '\"quoted\" \\ \303\251'",
        "show b",
        "stats b --for 1ms",
        "list 'b*'",
        "disable b",
        "metrics-only b",
        "auto b",
        "reset --all",
        "remove b",
        "simulate \"$TRACES\"/operator.trace",
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char command[256];
        snprintf(command, sizeof command, "\"$CBCTL\" %s --json | jq -es 'length == 1' >/dev/null", commands[i]);
        expect_done(command);
    }
}

Test(cbctl_output, history_with_json_prints_one_object_a_line)
{
    expect_done("\"$CBCTL\" create b && \"$CBCTL\" trip b --reason '\"quoted\" \303\251' >/dev/null");
    expect_done("\"$CBCTL\" history b --json | jq -es 'length == 2' >/dev/null");
    expect_done("test $(\"$CBCTL\" history b --json | wc -l) = 2");
    expect_done("\"$CBCTL\" history b --json | tail -n 1 | jq -e '.breaker == \"b\" and .to == \"open\" and"
                " .cause == \"operator trip\" and .command == \"cbctl\" and .filled == false and"
                " (.reason | contains(\"quoted\")) and (.time | test(\"^....-..-..T..:..:..[.]...Z$\"))' >/dev/null");
}

static size_t escapes(const char *command)
{
    struct output output;
    size_t count = 0;
    shell(&output, command);
    cr_expect_eq(output.status, 0, "%s: %d\n%s%s", command, output.status, output.out, output.err);
    for (const char *at = output.out; (at = strchr(at, '\033')); at++)
        count++;
    output_free(&output);
    return count;
}

#define ON_TERMINAL "script -qec \"'$CBCTL' "

Test(cbctl_output, colour_is_for_terminals_that_have_it)
{
    expect_done("\"$CBCTL\" create b");
    cr_expect_eq(escapes("\"$CBCTL\" list && \"$CBCTL\" show b"), 0);
    cr_expect_gt(escapes(ON_TERMINAL "list\" /dev/null"), 0);
    cr_expect_gt(escapes(ON_TERMINAL "show b\" /dev/null"), 0);
    cr_expect_eq(escapes("NO_COLOR=1 " ON_TERMINAL "list\" /dev/null"), 0);
    cr_expect_eq(escapes("TERM=dumb " ON_TERMINAL "list\" /dev/null"), 0);
}

Test(cbctl_output, a_name_that_is_none_is_shown_short_and_printable)
{
    struct output output;
    shell(&output, "\"$CBCTL\" show \"$(printf 'a%.0s' {1..10000})\"");
    cr_expect(output.status == 2 && strstr(output.err, "aaa...: ") && strstr(output.err, "10000 bytes"), "%d: %s",
              output.status, output.err);
    cr_expect_lt(strlen(output.err), 300);
    output_free(&output);
    shell(&output, "\"$CBCTL\" show $'two\\nlines\\e[31m'");
    cr_expect(output.status == 2 && strstr(output.err, "two?lines?[31m: "), "%d: %s", output.status, output.err);
    output_free(&output);
}
