/* Parsing traces: what the lines (trace_parse.c) and the steps in them (trace_step.c) share. */
#ifndef TOOLS_TRACE_PARSE_H
#define TOOLS_TRACE_PARSE_H

#include "trace.h"

struct parser {
    struct trace *trace;
    unsigned line;
    uint64_t now_ms; /* the case's clock */
    bool failed;
};

/* Say what is wrong with the line; false, for `return parser_fault(...)`. */
__attribute__((format(printf, 2, 3))) bool parser_fault(struct parser *, const char *format, ...);

/* The case that the line belongs to; NULL, after saying so, before the first. */
struct trace_case *parser_case(struct parser *);

/* `array` with room for one more than `count`. */
void *parser_grow(void *array, size_t count, size_t size);

/* Cut the next word off *rest; NULL: there is none. */
char *parser_word(char **rest);
/* The text without the blanks around it. */
char *parser_trim(char *text);

/* "OP ..." behind a time, what is behind "->", and the text of a policy. False after parser_fault(). */
bool step_parse(struct parser *, struct trace_step *step, char *text);
bool expected_parse(struct parser *, struct trace_step *step, char *text);
bool policy_step_parse(struct parser *, struct trace_step *step, char *text);

#endif
