#include <string.h>

#include "client.h"

int policy_of_text(const char *text, struct policy *out)
{
    char error[POLICY_ERROR_SIZE] = "";
    if (policy_parse(text, out, error) == 0)
        return 0;
    return fail(CB_EPOLICY, "%s", error);
}

int cb_policy_check(const char *text)
{
    struct policy policy;
    return policy_of_text(text, &policy);
}
