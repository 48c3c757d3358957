/* Traces: from a line's words to one step. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "trace_parse.h"

#define CALLS_MAX 1000000 /* xN */

enum arguments { ARGUMENT_NONE, ARGUMENT_NEW_ID, ARGUMENT_ID, ARGUMENT_OUTCOME, ARGUMENT_POLICY };

static const struct op {
    const char *name;
    enum trace_op op;
    enum arguments arguments;
    int which; /* enum cb_outcome, or an override's enum cb_state */
} ops[] = {
    {"acquire", TRACE_ACQUIRE, ARGUMENT_NEW_ID, 0},
    {"success", TRACE_SETTLE, ARGUMENT_ID, CB_SUCCESS},
    {"failure", TRACE_SETTLE, ARGUMENT_ID, CB_FAILURE},
    {"ignore", TRACE_SETTLE, ARGUMENT_ID, CB_IGNORED},
    {"drop", TRACE_SETTLE, ARGUMENT_ID, CB_ABANDONED},
    {"call", TRACE_CALL, ARGUMENT_OUTCOME, 0},
    {"tick", TRACE_TICK, ARGUMENT_NONE, 0},
    {"query", TRACE_QUERY, ARGUMENT_NONE, 0},
    {"state", TRACE_STATE, ARGUMENT_NONE, 0},
    {"trip", TRACE_TRIP, ARGUMENT_NONE, 0},
    {"reset", TRACE_RESET, ARGUMENT_NONE, 0},
    {"force-open", TRACE_OVERRIDE, ARGUMENT_NONE, CB_FORCED_OPEN},
    {"disable", TRACE_OVERRIDE, ARGUMENT_NONE, CB_DISABLED},
    {"metrics-only", TRACE_OVERRIDE, ARGUMENT_NONE, CB_METRICS_ONLY},
    {"auto", TRACE_OVERRIDE, ARGUMENT_NONE, CB_CLOSED},
    {"policy", TRACE_POLICY, ARGUMENT_POLICY, 0},
};

static bool id_find(const struct trace_case *trace_case, const char *id, unsigned *index)
{
    for (*index = 0; *index < trace_case->id_count; ++*index)
        if (!strcmp(trace_case->ids[*index], id))
            return true;
    return false;
}

static bool id_parse(struct parser *parser, struct trace_step *step, char **rest, bool fresh)
{
    struct trace_case *trace_case = parser_case(parser);
    const char *id = parser_word(rest);
    if (!trace_case)
        return false;
    if (!id)
        return parser_fault(parser, "%s needs an ID", step->word);
    if (id_find(trace_case, id, &step->permit))
        return true;
    if (!fresh)
        return parser_fault(parser, "nothing in this case acquires '%s' before it", id);
    trace_case->ids = parser_grow(trace_case->ids, trace_case->id_count, sizeof *trace_case->ids);
    trace_case->ids[trace_case->id_count++] = id; /* where id_find() ended */
    return true;
}

static bool outcome_parse(struct parser *parser, struct trace_step *step, char **rest)
{
    static const char *const names[] = {[CB_SUCCESS] = "success", [CB_FAILURE] = "failure", [CB_IGNORED] = "ignore"};
    const char *word = parser_word(rest);
    for (unsigned i = 0; word && i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], word)) {
            step->outcome = (enum cb_outcome)i;
            return true;
        }
    return parser_fault(parser, "call %s: a call's outcome is success, failure or ignore", word ? word : "");
}

static bool took_parse(struct parser *parser, struct trace_step *step, const char *text)
{
    bool has_outcome = step->op == TRACE_SETTLE || step->op == TRACE_CALL;
    if (!has_outcome || step->outcome > CB_IGNORED || (step->outcome == CB_IGNORED && step->op == TRACE_SETTLE))
        return parser_fault(parser, "%s takes no took=; success, failure and call do", step->word);
    step->timed = true;
    if (duration_parse(text, &step->took_ms))
        return true;
    return parser_fault(parser, "took=%s: not a duration; a whole number of ms, s, m or h, such as took=150ms", text);
}

static bool times_parse(struct parser *parser, struct trace_step *step, const char *text)
{
    char *end;
    errno = 0;
    step->times = strtoull(text, &end, 10);
    if (!errno && isdigit((unsigned char)*text) && !*end && step->times >= 1 && step->times <= CALLS_MAX)
        return true;
    return parser_fault(parser, "x%s: how often is x1 to x%d", text, CALLS_MAX);
}

/* What may follow: took=DUR, and xN for a call. */
static bool extras_parse(struct parser *parser, struct trace_step *step, char **rest)
{
    for (char *word; (word = parser_word(rest));) {
        bool good;
        if (!strncmp(word, "took=", 5))
            good = took_parse(parser, step, word + 5);
        else if (*word == 'x' && step->op == TRACE_CALL)
            good = times_parse(parser, step, word + 1);
        else
            good = parser_fault(parser, "'%s' does not belong behind %s", word, step->word);
        if (!good)
            return false;
    }
    return true;
}

bool policy_step_parse(struct parser *parser, struct trace_step *step, char *text)
{
    step->policy = parser_trim(text);
    if (!*step->policy)
        return parser_fault(parser, "%s needs KEY=VALUE ...", step->word);
    if (step->op == TRACE_POLICY && cb_policy_check(step->policy))
        return parser_fault(parser, "%s", cb_last_error());
    return true;
}

static bool arguments_parse(struct parser *parser, struct trace_step *step, enum arguments arguments, char *rest)
{
    switch (arguments) {
    case ARGUMENT_POLICY:
        return policy_step_parse(parser, step, rest);
    case ARGUMENT_NEW_ID:
    case ARGUMENT_ID:
        if (!id_parse(parser, step, &rest, arguments == ARGUMENT_NEW_ID))
            return false;
        break;
    case ARGUMENT_OUTCOME:
        if (!outcome_parse(parser, step, &rest))
            return false;
        break;
    case ARGUMENT_NONE:
        break;
    }
    return extras_parse(parser, step, &rest);
}

bool step_parse(struct parser *parser, struct trace_step *step, char *text)
{
    step->word = parser_word(&text);
    if (!step->word)
        return parser_fault(parser, "nothing happens here; \"@TIME OP\", such as \"@0 state\"");
    for (const struct op *op = ops; op < ops + sizeof ops / sizeof *ops; op++)
        if (!strcmp(op->name, step->word)) {
            step->op = op->op;
            step->times = 1;
            step->outcome = op->op == TRACE_SETTLE ? (enum cb_outcome)op->which : CB_SUCCESS;
            step->state = op->op == TRACE_OVERRIDE ? (enum cb_state)op->which : CB_CLOSED;
            return arguments_parse(parser, step, op->arguments, text);
        }
    return parser_fault(
        parser,
        "'%s' is nothing that can happen; acquire, success, failure, ignore, drop, call, tick, query, state, "
        "trip, reset, force-open, disable, metrics-only, auto or policy",
        step->word);
}

static bool gives_answer(enum trace_op op)
{
    return op == TRACE_ACQUIRE || op == TRACE_CALL || op == TRACE_QUERY;
}

static bool expected_add(struct parser *parser, struct trace_step *step, const char *word)
{
    struct expected expected = {0};
    if (!expect_parse(word, &expected))
        return parser_fault(
            parser, "'%s' cannot be expected; an answer (admitted, rejected:open ...), a state or COUNT=N", word);
    if (expected.kind == EXPECT_ANSWER && !gives_answer(step->op))
        return parser_fault(parser, "%s: %s gives no answer; acquire, call and query do", word, step->word);
    for (unsigned i = 0; i < step->expected_count; i++)
        if (step->expected[i].kind == expected.kind &&
            (expected.kind != EXPECT_COUNT || step->expected[i].which == expected.which))
            return parser_fault(parser, "%s: there can be only one of its kind", word);
    step->expected[step->expected_count++] = expected; /* at most one answer, one state, each count */
    return true;
}

bool expected_parse(struct parser *parser, struct trace_step *step, char *text)
{
    if (!*parser_trim(text))
        return parser_fault(parser, "nothing is expected behind \"->\"");
    for (char *word; (word = parser_word(&text));)
        if (!expected_add(parser, step, word))
            return false;
    return true;
}
