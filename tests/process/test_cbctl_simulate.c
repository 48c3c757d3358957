/* cbctl simulate: the conformance traces, and what it says about traces that differ or make no sense. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

/* Write `text` to a file of its own, simulate it, and remove it. `%s` in what comes out stands for its name. */
static void simulate(struct output *output, char file[64], const char *option, const char *text)
{
    strcpy(file, "/tmp/cbctl-trace-XXXXXX");
    int fd = mkstemp(file);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    run(output, CBCTL_PATH, "simulate", file, option, (char *)NULL);
    unlink(file);
}

static void expect_output(const char *text, int code, const char *out)
{
    struct output output;
    char file[64], expected[512];
    simulate(&output, file, NULL, text);
    snprintf(expected, sizeof expected, out, file, file);
    cr_expect_str_eq(output.out, expected, "%s%s", output.out, output.err);
    cr_expect_eq(output.status, code, "exit %d", output.status);
    output_free(&output);
}

/* A malformed line: nothing runs, and the message names file, line and `complaint`. */
static void expect_refused(const char *text, unsigned line, const char *complaint)
{
    struct output output;
    char file[64], where[96];
    simulate(&output, file, NULL, text);
    snprintf(where, sizeof where, "%s:%u: ", file, line);
    cr_expect(!strncmp(output.err, where, strlen(where)), "%s: %s", text, output.err);
    cr_expect(strstr(output.err, complaint), "no \"%s\" in %s", complaint, output.err);
    cr_expect_str_eq(output.out, "", "something ran: %s", output.out);
    cr_expect_eq(output.status, 2, "exit %d", output.status);
    output_free(&output);
}

Test(simulate, every_trace_passes)
{
    glob_t files;
    cr_assert_eq(glob(SOURCE_DIR "/tests/traces/*.trace", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct output output;
        run(&output, CBCTL_PATH, "simulate", files.gl_pathv[i], (char *)NULL);
        cr_expect_eq(output.status, 0, "%s%s", output.out, output.err);
        cr_expect(strstr(output.out, " passed, 0 failed\n"), "%s", output.out);
        output_free(&output);
    }
    globfree(&files);
}

Test(simulate, a_step_that_differs_is_named)
{
    expect_output("case one\n@0 call failure -> open\n@0 state -> closed\ncase two\n@0 state -> closed\n", 1,
                  "%s:2: expected open, got closed\n1 passed, 1 failed\n");
    expect_output("case all\n@0 call failure -> rejected:open open failures=2\n", 1,
                  "%s:2: expected rejected:open open failures=2, got admitted closed failures=1\n0 passed, 1 failed\n");
    expect_output("case two steps of one case\n@0 state -> open\n@0 state -> half-open\n", 1,
                  "%s:2: expected open, got closed\n%s:3: expected half-open, got closed\n0 passed, 1 failed\n");
}

Test(simulate, a_policy_that_should_be_refused_and_is_not)
{
    expect_output("case c\nrefuse failure_threshold=1\n", 1,
                  "%s:2: expected a policy that is refused, got one that is accepted\n0 passed, 1 failed\n");
}

Test(simulate, an_id_has_one_call_at_a_time)
{
    expect_output("case c\n@0 acquire a\n@0 acquire a -> admitted\n", 1,
                  "%s:3: expected an ID that is free, got one whose call is still in flight\n0 passed, 1 failed\n");
    expect_output("case c\n@0 acquire a\n@0 ignore a\n@0 acquire a -> admitted\n", 0, "1 passed, 0 failed\n");
}

Test(simulate, blanks_comments_and_line_ends_do_not_matter)
{
    expect_output("# a comment\r\n\r\n  case c # another\r\n\tpolicy failure_threshold=1 # one\r\n"
                  "@0  call\tfailure x1 took=5ms ->  open # two\r\n@1h state",
                  0, "1 passed, 0 failed\n");
}

Test(simulate, malformed_lines_say_what_would_be_right)
{
    expect_refused("@0 state\n", 1, "case NAME");
    expect_refused("case\n", 1, "case NAME");
    expect_refused("case c\nstate\n", 2, "case, policy, refuse or @TIME");
    expect_refused("case c\n@0\n", 2, "@TIME OP");
    expect_refused("case c\n@ state\n", 2, "not a time");
    expect_refused("case c\n@1d state\n", 2, "ms, s, m or h");
    expect_refused("case c\n@-1 state\n", 2, "not a time");
    expect_refused("case c\n@99999999999999999999 state\n", 2, "not a time");
    expect_refused("case c\n@5 state\n@4 state\n", 3, "backwards");
    expect_refused("case c\n@0 explode\n", 2, "'explode'");
    expect_refused("case c\n@0 acquire\n", 2, "needs an ID");
    expect_refused("case c\n@0 success a\n", 2, "acquires 'a'");
    expect_refused("case c\n@0 acquire a\ncase d\n@0 success a\n", 4, "acquires 'a'");
    expect_refused("case c\n@0 call\n", 2, "success, failure or ignore");
    expect_refused("case c\n@0 call faliure\n", 2, "success, failure or ignore");
    expect_refused("case c\n@0 call failure x0\n", 2, "x1 to");
    expect_refused("case c\n@0 call failure x-1\n", 2, "x1 to");
    expect_refused("case c\n@0 call failure took=long\n", 2, "not a duration");
    expect_refused("case c\n@0 acquire a took=1s\n", 2, "takes no took=");
    expect_refused("case c\n@0 state x2\n", 2, "does not belong");
    expect_refused("case c\n@0 state ->\n", 2, "nothing is expected");
    expect_refused("case c\n@0 state -> ajar\n", 2, "'ajar'");
    expect_refused("case c\n@0 state -> failures=\n", 2, "COUNT=N");
    expect_refused("case c\n@0 state -> failures=-1\n", 2, "COUNT=N");
    expect_refused("case c\n@0 state -> crashes=1\n", 2, "COUNT=N");
    expect_refused("case c\n@0 state -> admitted\n", 2, "gives no answer");
    expect_refused("case c\n@0 state -> open closed\n", 2, "only one");
    expect_refused("case c\npolicy colour=red\n", 2, "colour");
    expect_refused("case c\npolicy\n", 2, "KEY=VALUE");
    expect_refused("case c\n@0 policy open_timeout=0\n", 2, "open_timeout");
    expect_refused("# nothing\n", 2, "no case");
}

Test(simulate, all_malformed_lines_are_told_at_once)
{
    struct output output;
    char file[64];
    simulate(&output, file, NULL, "case c\n@0 explode\n@x state\n");
    cr_expect(strstr(output.err, ":2: ") && strstr(output.err, ":3: "), "%s", output.err);
    output_free(&output);
}

Test(simulate, files_that_cannot_be_read)
{
    struct output output;
    run(&output, CBCTL_PATH, "simulate", "/nonexistent.trace", (char *)NULL);
    cr_expect_eq(output.status, 2);
    cr_expect(strstr(output.err, "/nonexistent.trace: No such file"), "%s", output.err);
    output_free(&output);
    run(&output, CBCTL_PATH, "simulate", "/tmp", (char *)NULL);
    cr_expect_eq(output.status, 2);
    output_free(&output);
    run(&output, CBCTL_PATH, "simulate", CBCTL_PATH, (char *)NULL);
    cr_expect(strstr(output.err, "not a text file"), "%s", output.err);
    output_free(&output);
}

Test(simulate, another_policy_shows_what_it_would_have_done)
{
    struct output output;
    char file[64];
    static const char incident[] = "case c\npolicy failure_threshold=9\n@0 call failure x2\n@1s call failure\n";
    simulate(&output, file, "--policy=failure_threshold=3", incident);
    cr_expect_eq(output.status, 0, "%s", output.err);
    output_free(&output);
    static const char checked[] = "case c\npolicy failure_threshold=9\n@0 call failure x3 -> open\n";
    simulate(&output, file, "--policy=failure_threshold=3", checked);
    cr_expect_str_eq(output.out, "1 passed, 0 failed\n");
    output_free(&output);
    simulate(&output, file, "--verbose", incident);
    cr_expect(strstr(output.out, "@1000      call         admitted             closed\n"), "%s", output.out);
    output_free(&output);
}

Test(simulate, json_has_the_same)
{
    struct output output;
    char file[64];
    simulate(&output, file, "--json", "case c\n@0 state -> open\n");
    cr_expect_eq(output.status, 1);
    cr_expect(strstr(output.out, "\"failed\": 1"), "%s", output.out);
    cr_expect(strstr(output.out, "\"expected\": \"open\"") && strstr(output.out, "\"got\": \"closed\""), "%s",
              output.out);
    output_free(&output);
}
