/* A trace: parsed whole or refused; every step belongs to its case. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "trace.h"

/* The parser says on stderr what is wrong; libFuzzer and the sanitizers write to the descriptor itself. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stderr = fopen("/dev/null", "we");
    return stderr ? 0 : -1;
}

static void check_step(const struct trace_case *owner, const struct trace_step *step)
{
    MUST_HOLD(step->word && step->line > 0 && step->expected_count <= EXPECTED_MAX);
    if (step->op == TRACE_SETTLE || (step->op == TRACE_ACQUIRE && owner->id_count))
        MUST_HOLD(step->permit < owner->id_count);
    if (step->op == TRACE_POLICY || step->op == TRACE_REFUSE)
        MUST_HOLD(step->policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace trace;
    if (!trace_load(input_file(data, size), &trace))
        return 0;
    MUST_HOLD(trace.case_count > 0);
    for (size_t i = 0; i < trace.case_count; i++)
        for (size_t k = 0; k < trace.cases[i].step_count; k++)
            check_step(&trace.cases[i], &trace.cases[i].steps[k]);
    trace_unload(&trace);
    return 0;
}
