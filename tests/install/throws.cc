// An operation that throws is a call that counts as abandoned, and is not in flight any more.
#include <cbclient.h>
#include <cstdio>

static int explode(void *)
{
    throw 42;
}

static int caught(cb_breaker *breaker, int kind)
{
    int result = 0;
    try {
        if (kind == 0)
            cb_call(breaker, explode, nullptr, &result);
        else if (kind == 1)
            cb_call_with_fallback(breaker, explode, explode, nullptr, &result);
        else
            cb_call_with_retry(breaker, explode, nullptr, nullptr, &result);
    } catch (int thrown) {
        return thrown;
    }
    return 0;
}

int main()
{
    cb_registry *registry;
    cb_breaker *breaker;
    cb_snapshot counts;
    if (cb_virtual_open(&registry) != 0 || cb_get_or_create(registry, "b", nullptr, &breaker) != 0)
        return 1;
    for (int kind = 0; kind < 3; kind++)
        if (caught(breaker, kind) != 42)
            return 1;
    cb_snapshot_of(breaker, &counts, sizeof counts);
    std::printf("%d abandoned, %d in flight\n", (int)counts.abandoned, (int)counts.in_flight);
    cb_detach(&registry);
    return counts.abandoned == 3 && counts.in_flight == 0 ? 0 : 1;
}
