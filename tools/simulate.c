/* cbctl simulate: traces on the real breakers, with a virtual clock. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "duration.h"
#include "json.h"
#include "progress.h"
#include "report.h"
#include "trace.h"

#define NO_ANSWER (-1)

struct verdicts {
    const struct options *options;
    unsigned passed, failed; /* cases */
    json_t *differences;     /* with --json */
    struct progress progress;
};

/* One case under way. */
struct play {
    const struct trace *trace;
    struct verdicts *verdicts;
    cb_registry *registry;
    cb_breaker *breaker; /* NULL until its policy is known */
    cb_permit *permits;  /* by the index of their ID */
    bool *held;
    bool differs;
};

static char *expected_text(const struct expected *expected, unsigned count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    expect_print(stream, expected, count);
    return fclose(stream) ? NULL : text;
}

static void difference_add(struct play *play, const struct trace_step *step, const char *expected, const char *got)
{
    play->differs = true;
    progress_clear(&play->verdicts->progress);
    if (play->verdicts->differences)
        json_array_append_new(play->verdicts->differences,
                              json_pack("{s:s, s:i, s:s, s:s}", "file", play->trace->file, "line", (int)step->line,
                                        "expected", expected, "got", got));
    else
        printf("%s:%u: expected %s, got %s\n", play->trace->file, step->line, expected, got);
}

static void step_compare(struct play *play, const struct trace_step *step, int answer)
{
    struct cb_snapshot snapshot;
    struct expected got[EXPECTED_MAX];
    bool same = true;
    cb_snapshot_of(play->breaker, &snapshot, sizeof snapshot);
    for (unsigned i = 0; i < step->expected_count; i++) {
        got[i] = expect_got(step->expected[i], answer, &snapshot);
        same &= expect_equal(step->expected[i], got[i]);
    }
    if (same)
        return;
    char *wanted = expected_text(step->expected, step->expected_count);
    char *found = expected_text(got, step->expected_count);
    difference_add(play, step, wanted ? wanted : "?", found ? found : "?");
    free(wanted);
    free(found);
}

static void settle(cb_permit *permit, const struct trace_step *step)
{
    if (step->timed)
        cb_settle(permit, step->outcome, step->took_ms * 1000000);
    else if (step->outcome == CB_SUCCESS)
        cb_success(permit);
    else if (step->outcome == CB_FAILURE)
        cb_failure(permit);
    else if (step->outcome == CB_IGNORED)
        cb_ignore(permit);
    else
        cb_settle(permit, step->outcome, 0);
}

static int step_acquire(struct play *play, const struct trace_step *step)
{
    int answer = cb_acquire(play->breaker, &play->permits[step->permit]);
    play->held[step->permit] = answer == CB_ADMITTED;
    return answer;
}

/* An outcome for a call that was rejected, or has had one already, is the library's to refuse. */
static void step_settle(struct play *play, const struct trace_step *step)
{
    settle(&play->permits[step->permit], step);
    play->held[step->permit] = false;
}

static int step_call(struct play *play, const struct trace_step *step)
{
    int answer = NO_ANSWER;
    for (uint64_t i = 0; i < step->times; i++) {
        cb_permit permit = {0};
        answer = cb_acquire(play->breaker, &permit);
        if (answer == CB_ADMITTED)
            settle(&permit, step);
    }
    return answer;
}

static void step_policy(struct play *play, const struct trace_step *step)
{
    if (!play->verdicts->options->policy)
        cb_set_policy(play->breaker, step->policy);
}

static void step_refuse(struct play *play, const struct trace_step *step)
{
    if (!cb_policy_check(step->policy))
        difference_add(play, step, "a policy that is refused", "one that is accepted");
}

/* The breaker's answer, if the step asks for one. */
static int step_run(struct play *play, const struct trace_step *step)
{
    switch (step->op) {
    case TRACE_ACQUIRE:
        return step_acquire(play, step);
    case TRACE_CALL:
        return step_call(play, step);
    case TRACE_QUERY:
        return cb_would_admit(play->breaker);
    case TRACE_SETTLE:
        step_settle(play, step);
        break;
    case TRACE_TICK:
        cb_virtual_tick(play->registry);
        break;
    case TRACE_TRIP:
        cb_trip(play->breaker, NULL);
        break;
    case TRACE_RESET:
        cb_reset(play->breaker, NULL);
        break;
    case TRACE_OVERRIDE:
        cb_override(play->breaker, step->state, 0, NULL);
        break;
    case TRACE_POLICY:
        step_policy(play, step);
        break;
    case TRACE_REFUSE:
        step_refuse(play, step);
        break;
    case TRACE_STATE:
        break;
    }
    return NO_ANSWER;
}

/* A breaker begins with the policy that the case names first. */
static int breaker_begin(struct play *play, const struct trace_case *trace_case)
{
    const char *policy = play->verdicts->options->policy;
    if (!policy && trace_case->step_count && trace_case->steps[0].op == TRACE_POLICY)
        policy = trace_case->steps[0].policy;
    return cb_get_or_create(play->registry, "simulated", policy, &play->breaker);
}

static void step_tell(const struct play *play, const struct trace_step *step, int answer)
{
    char time[DURATION_TEXT];
    progress_clear(&play->verdicts->progress);
    snprintf(time, sizeof time, "@%" PRIu64, step->at_ms);
    printf("%s:%u: %-10s %-12s %-20s %s\n", play->trace->file, step->line, time, step->word,
           answer == NO_ANSWER ? "" : cb_answer_name(answer), cb_state_name(cb_state_of(play->breaker)));
}

static void progress_tell(const struct play *play, const struct trace_case *trace_case, const struct trace_step *step)
{
    const struct trace *trace = play->trace;
    progress_say(&play->verdicts->progress, "simulate: %s:%u, case %zu of %zu", trace->file, step->line,
                 (size_t)(trace_case - trace->cases) + 1, trace->case_count);
}

static void steps_run(struct play *play, const struct trace_case *trace_case)
{
    for (size_t i = 0; i < trace_case->step_count; i++) {
        const struct trace_step *step = &trace_case->steps[i];
        progress_tell(play, trace_case, step);
        cb_virtual_advance(play->registry, step->at_ms);
        if (step->op == TRACE_ACQUIRE && play->held[step->permit]) {
            difference_add(play, step, "an ID that is free", "one whose call is still in flight");
            continue;
        }
        int answer = step_run(play, step);
        if (play->verdicts->options->verbose && !play->verdicts->differences)
            step_tell(play, step, answer);
        if (step->expected_count)
            step_compare(play, step, answer);
    }
}

static int case_run(const struct trace *trace, const struct trace_case *trace_case, struct verdicts *verdicts)
{
    struct play play = {.trace = trace, .verdicts = verdicts};
    play.permits = calloc(trace_case->id_count + 1, sizeof *play.permits);
    play.held = calloc(trace_case->id_count + 1, sizeof *play.held);
    int error = play.permits && play.held ? cb_virtual_open(&play.registry) : -1;
    if (!error)
        error = breaker_begin(&play, trace_case);
    if (!error)
        steps_run(&play, trace_case);
    cb_detach(&play.registry);
    free(play.permits);
    free(play.held);
    verdicts->passed += !error && !play.differs;
    verdicts->failed += !error && play.differs;
    if (error)
        progress_clear(&verdicts->progress);
    return error ? report_error(trace_case->name, error) : 0;
}

static int trace_run(const struct trace *trace, struct verdicts *verdicts)
{
    int code = 0;
    for (size_t i = 0; i < trace->case_count && !code; i++)
        code = case_run(trace, &trace->cases[i], verdicts);
    return code;
}

static int verdicts_print(const struct verdicts *verdicts)
{
    if (verdicts->differences)
        json_print(json_pack("{s:i, s:i, s:O}", "passed", (int)verdicts->passed, "failed", (int)verdicts->failed,
                             "differences", verdicts->differences));
    else
        printf("%u passed, %u failed\n", verdicts->passed, verdicts->failed);
    return verdicts->failed ? EXIT_FAILED : EXIT_DONE;
}

/* All files are read before anything runs. */
static bool traces_load(const struct options *options, struct trace *traces)
{
    bool good = true;
    for (int i = 0; i < options->argc; i++)
        good &= trace_load(options->argv[i], &traces[i]);
    return good;
}

static int traces_run(const struct options *options, const struct trace *traces)
{
    struct verdicts verdicts = {.options = options, .differences = options->json ? json_array() : NULL};
    int code = 0;
    progress_begin(&verdicts.progress);
    for (int i = 0; i < options->argc && !code; i++)
        code = trace_run(&traces[i], &verdicts);
    progress_clear(&verdicts.progress);
    if (!code)
        code = verdicts_print(&verdicts);
    json_decref(verdicts.differences);
    return code;
}

int command_simulate(const struct options *options)
{
    if (options->policy && cb_policy_check(options->policy))
        return report_error("--policy", CB_EPOLICY);
    struct trace *traces = calloc((size_t)options->argc, sizeof *traces);
    if (!traces)
        return report(EXIT_FAILED, "out of memory");
    int code = traces_load(options, traces) ? traces_run(options, traces) : EXIT_USAGE;
    for (int i = 0; i < options->argc; i++)
        trace_unload(&traces[i]);
    free(traces);
    return code;
}
