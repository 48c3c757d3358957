/* Traces: from text to steps. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "report.h"
#include "trace_parse.h"

#define BLANKS " \t"

__attribute__((format(printf, 2, 3))) bool parser_fault(struct parser *parser, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%u: ", parser->trace->file, parser->line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    parser->failed = true;
    return false;
}

void *parser_grow(void *array, size_t count, size_t size)
{
    void *larger = reallocarray(array, count + 1, size);
    if (!larger)
        exit(report(EXIT_FAILED, "out of memory"));
    return larger;
}

char *parser_word(char **rest)
{
    *rest += strspn(*rest, BLANKS);
    if (!**rest)
        return NULL;
    char *word = *rest;
    *rest += strcspn(*rest, BLANKS);
    if (**rest)
        *(*rest)++ = '\0';
    return word;
}

char *parser_trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

struct trace_case *parser_case(struct parser *parser)
{
    struct trace *trace = parser->trace;
    if (trace->case_count)
        return &trace->cases[trace->case_count - 1];
    parser_fault(parser, "a case begins with a line \"case NAME\"");
    return NULL;
}

static bool case_add(struct parser *parser, const char *name)
{
    struct trace *trace = parser->trace;
    if (!*name)
        return parser_fault(parser, "a case without a name; \"case NAME\"");
    trace->cases = parser_grow(trace->cases, trace->case_count, sizeof *trace->cases);
    trace->cases[trace->case_count++] = (struct trace_case){.name = name};
    parser->now_ms = 0;
    return true;
}

static bool step_add(struct parser *parser, struct trace_step *step)
{
    struct trace_case *trace_case = parser_case(parser);
    if (!trace_case)
        return false;
    step->line = parser->line;
    step->at_ms = parser->now_ms;
    trace_case->steps = parser_grow(trace_case->steps, trace_case->step_count, sizeof *step);
    trace_case->steps[trace_case->step_count++] = *step;
    return true;
}

static bool time_parse(struct parser *parser, const char *text)
{
    uint64_t at_ms;
    if (!duration_parse(text, &at_ms))
        return parser_fault(parser, "@%s: not a time; a whole number of ms, s, m or h, such as @1500 or @2s", text);
    if (at_ms < parser->now_ms)
        return parser_fault(parser, "@%s: time runs backwards; the step before it is at @%llu", text,
                            (unsigned long long)parser->now_ms);
    parser->now_ms = at_ms;
    return true;
}

static bool timed_parse(struct parser *parser, char *line)
{
    struct trace_step step = {0};
    char *expected = strstr(line, "->");
    if (expected) {
        *expected = '\0';
        expected = parser_trim(expected + 2);
    }
    const char *when = parser_word(&line);
    return time_parse(parser, when + 1) && step_parse(parser, &step, parser_trim(line)) &&
           (!expected || expected_parse(parser, &step, expected)) && step_add(parser, &step);
}

static bool untimed_parse(struct parser *parser, char *line)
{
    struct trace_step step = {.op = TRACE_POLICY, .word = parser_word(&line)};
    if (!step.word)
        return true; /* a blank line */
    line = parser_trim(line);
    if (!strcmp(step.word, "case"))
        return case_add(parser, line);
    if (!strcmp(step.word, "refuse"))
        step.op = TRACE_REFUSE;
    else if (strcmp(step.word, "policy"))
        return parser_fault(parser, "'%s': a line begins with case, policy, refuse or @TIME", step.word);
    return policy_step_parse(parser, &step, line) && step_add(parser, &step);
}

static void line_parse(struct parser *parser, char *line)
{
    line[strcspn(line, "#")] = '\0';
    line = parser_trim(line);
    if (*line == '@')
        timed_parse(parser, line);
    else
        untimed_parse(parser, line);
}

static bool text_parse(struct trace *trace)
{
    struct parser parser = {.trace = trace};
    for (char *line = trace->text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        parser.line++;
        line_parse(&parser, line);
        line = end;
    }
    if (!trace->case_count && !parser.failed)
        parser_fault(&parser, "there is no case in this file");
    return !parser.failed;
}

/* The file as one string. NULL, after saying why, if it cannot be read or is no text. */
static char *text_read(const char *file)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = fopen(file, "re");
    errno = stream ? 0 : errno;
    ssize_t length = stream ? getdelim(&text, &size, '\0', stream) : -1;
    int error = errno;
    bool whole = length >= 0 && feof(stream);
    if (stream)
        fclose(stream);
    if (whole)
        return text;
    free(text);
    if (!error)
        report(EXIT_USAGE, length < 0 ? "%s: an empty file" : "%s: not a text file", file);
    else
        report(EXIT_USAGE, "%s: %s", file, strerror(error));
    return NULL;
}

bool trace_load(const char *file, struct trace *trace)
{
    *trace = (struct trace){.file = file, .text = text_read(file)};
    if (trace->text && text_parse(trace))
        return true;
    trace_unload(trace);
    return false;
}

void trace_unload(struct trace *trace)
{
    for (size_t i = 0; i < trace->case_count; i++) {
        free(trace->cases[i].steps);
        free(trace->cases[i].ids);
    }
    free(trace->cases);
    free(trace->text);
    *trace = (struct trace){.file = trace->file};
}
