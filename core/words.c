#include "core/words.h"

#include <stddef.h>

#define WORD_TEXT(symbol, value, text) [value] = text,

static const char *const states[] = {STATES(WORD_TEXT)};
static const char *const answers[] = {ANSWERS(WORD_TEXT)};
static const char *const causes[] = {CAUSES(WORD_TEXT)};

#define NAME_OF(table, value) ((value) < sizeof(table) / sizeof *(table) ? (table)[value] : "?")

const char *state_name(unsigned state)
{
    return NAME_OF(states, state);
}

const char *answer_name(unsigned answer)
{
    return NAME_OF(answers, answer);
}

const char *cause_name(unsigned cause)
{
    return NAME_OF(causes, cause);
}
