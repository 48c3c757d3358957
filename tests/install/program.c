/* A program of somebody else's, built against the installed library. Its function names are also those of ours. */
#include <cbclient.h>
#include <stdio.h>
#include <string.h>

int gate_step(void);
int gate_step(void)
{
    return 1;
}

static int operation(void *arg)
{
    return *(int *)arg;
}

int main(void)
{
    cb_registry *registry;
    cb_breaker *breaker;
    int fails = gate_step(), result = 0, answer = 0;
    if (cb_attach("nobody-runs-this", &registry) != CB_ENODAEMON || !registry)
        return 1;
    if (cb_get_or_create(registry, "upstream", "failure_threshold=2 open_timeout=1m", &breaker) != 0)
        return 2;
    for (int i = 0; i < 3; i++)
        answer = cb_call(breaker, operation, &fails, &result);
    printf("%s %s\n", cb_version(), cb_answer_name(answer));
    cb_detach(&registry);
    return answer == CB_REJECTED_OPEN && result == 1 ? 0 : 3;
}
