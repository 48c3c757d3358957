/* Traces: conformance cases in text (docs: tests/traces/README.md), and what they look like once parsed. */
#ifndef TOOLS_TRACE_H
#define TOOLS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cbclient.h>

enum trace_op {
    TRACE_ACQUIRE,
    TRACE_SETTLE, /* success, failure, ignore, drop */
    TRACE_CALL,
    TRACE_TICK,
    TRACE_QUERY,
    TRACE_STATE,
    TRACE_TRIP,
    TRACE_RESET,
    TRACE_OVERRIDE, /* force-open, disable, metrics-only, auto */
    TRACE_POLICY,
    TRACE_REFUSE,
};

enum expect_kind { EXPECT_ANSWER, EXPECT_STATE, EXPECT_COUNT };

/* One word of what a step must lead to. */
struct expected {
    enum expect_kind kind;
    unsigned which; /* enum cb_answer, enum cb_state, or a count's index */
    uint64_t count;
};

#define EXPECTED_MAX 16

struct trace_step {
    unsigned line;
    uint64_t at_ms;
    enum trace_op op;
    const char *word;        /* what the trace calls it */
    unsigned permit;         /* TRACE_ACQUIRE, TRACE_SETTLE: index of the ID */
    enum cb_outcome outcome; /* TRACE_SETTLE, TRACE_CALL */
    bool timed;              /* took= was given */
    uint64_t took_ms;
    uint64_t times;      /* TRACE_CALL: how often */
    enum cb_state state; /* TRACE_OVERRIDE */
    const char *policy;  /* TRACE_POLICY, TRACE_REFUSE */
    struct expected expected[EXPECTED_MAX];
    unsigned expected_count;
};

struct trace_case {
    const char *name;
    struct trace_step *steps;
    size_t step_count;
    const char **ids;
    size_t id_count;
};

struct trace {
    const char *file;
    char *text; /* what the strings above point into */
    struct trace_case *cases;
    size_t case_count;
};

/* Read and parse a file. Every malformed line is reported on stderr as FILE:LINE with what is wrong and what would be
 * right; false then, and *trace holds nothing. */
bool trace_load(const char *file, struct trace *trace);
void trace_unload(struct trace *trace);

/* A word behind "->"; false: it is none. */
bool expect_parse(const char *word, struct expected *out);
/* The same word with what the step really led to. `answer`: the step's, -1 if it gives none. */
struct expected expect_got(struct expected, int answer, const struct cb_snapshot *);
bool expect_equal(struct expected, struct expected);
void expect_print(FILE *, const struct expected *, unsigned count);

#endif
