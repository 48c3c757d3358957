/* A policy's text: what is accepted is valid and survives its own canonical text; what is refused says why. */
#include <stdlib.h>
#include <string.h>

#include "core/policy.h"
#include "fuzz.h"

static void check_accepted(const struct policy *policy)
{
    struct policy again;
    char text[POLICY_TEXT_SIZE], error[POLICY_ERROR_SIZE];
    MUST_HOLD(policy_valid(policy));
    policy_format(policy, text);
    MUST_HOLD(strlen(text) < sizeof text);
    MUST_HOLD(policy_parse(text, &again, error) == 0);
    MUST_HOLD(memcmp(policy, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy policy;
    char error[POLICY_ERROR_SIZE] = "", *text = strndup((const char *)data, size);
    if (policy_parse(text, &policy, error) == 0)
        check_accepted(&policy);
    else
        MUST_HOLD(*error && memchr(error, '\0', sizeof error));
    free(text);
    return 0;
}
