/* What a step of a trace must lead to, and what it did lead to. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

static const struct {
    const char *name;
    size_t offset; /* in struct cb_snapshot */
} counts[] = {
    {"successes", offsetof(struct cb_snapshot, successes)}, {"failures", offsetof(struct cb_snapshot, failures)},
    {"slow", offsetof(struct cb_snapshot, slow)},           {"ignored", offsetof(struct cb_snapshot, ignored)},
    {"rejected", offsetof(struct cb_snapshot, rejected)},   {"abandoned", offsetof(struct cb_snapshot, abandoned)},
    {"overdue", offsetof(struct cb_snapshot, overdue)},     {"transitions", offsetof(struct cb_snapshot, transitions)},
    {"in_flight", offsetof(struct cb_snapshot, in_flight)},
};

static bool number_parse(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return isdigit((unsigned char)*text) && !*end && !errno;
}

static bool count_parse(const char *word, struct expected *out)
{
    const char *equals = strchr(word, '=');
    if (!equals)
        return false;
    size_t length = (size_t)(equals - word);
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
        if (strlen(counts[i].name) == length && !memcmp(counts[i].name, word, length)) {
            *out = (struct expected){.kind = EXPECT_COUNT, .which = i};
            return number_parse(equals + 1, &out->count);
        }
    return false;
}

bool expect_parse(const char *word, struct expected *out)
{
    for (unsigned answer = CB_ADMITTED; answer <= CB_REJECTED_CONCURRENCY; answer++)
        if (!strcmp(word, cb_answer_name((int)answer))) {
            *out = (struct expected){.kind = EXPECT_ANSWER, .which = answer};
            return true;
        }
    for (unsigned state = CB_CLOSED; state <= CB_METRICS_ONLY; state++)
        if (!strcmp(word, cb_state_name((enum cb_state)state))) {
            *out = (struct expected){.kind = EXPECT_STATE, .which = state};
            return true;
        }
    return count_parse(word, out);
}

struct expected expect_got(struct expected expected, int answer, const struct cb_snapshot *snapshot)
{
    struct expected got = expected;
    if (expected.kind == EXPECT_ANSWER)
        got.which = (unsigned)answer;
    else if (expected.kind == EXPECT_STATE)
        got.which = (unsigned)snapshot->state;
    else
        memcpy(&got.count, (const char *)snapshot + counts[expected.which].offset, sizeof got.count);
    return got;
}

bool expect_equal(struct expected one, struct expected other)
{
    return one.kind == other.kind && one.which == other.which && one.count == other.count;
}

void expect_print(FILE *out, const struct expected *expected, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct expected *word = &expected[i];
        if (i)
            fputc(' ', out);
        if (word->kind == EXPECT_ANSWER)
            fputs(cb_answer_name((int)word->which), out);
        else if (word->kind == EXPECT_STATE)
            fputs(cb_state_name((enum cb_state)word->which), out);
        else
            fprintf(out, "%s=%" PRIu64, counts[word->which].name, word->count);
    }
}
