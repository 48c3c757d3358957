#include "latency.h"

#include <inttypes.h>
#include <stdio.h>

const char *latency_text(uint64_t us, char out[LATENCY_TEXT])
{
    if (us < 1000)
        snprintf(out, LATENCY_TEXT, "%" PRIu64 "us", us);
    else if (us < 1000000)
        snprintf(out, LATENCY_TEXT, "%.3gms", (double)us / 1e3);
    else
        snprintf(out, LATENCY_TEXT, "%.3gs", (double)us / 1e6);
    return out;
}

uint64_t latency_count(const struct cb_latency *latency)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < CB_LATENCY_BUCKETS; i++)
        count += latency->calls[i];
    return count;
}

uint64_t latency_permille(const struct cb_latency *latency, unsigned permille)
{
    uint64_t count = latency_count(latency), wanted = (count * permille + 999) / 1000, seen = 0;
    for (unsigned i = 0; count && i < CB_LATENCY_BUCKETS; i++) {
        seen += latency->calls[i];
        if (seen >= wanted)
            return latency->bound_ns[i] / 1000;
    }
    return 0;
}

struct cb_latency latency_since(const struct cb_latency *now, const struct cb_latency *before)
{
    struct cb_latency since = *now;
    for (unsigned i = 0; i < CB_LATENCY_BUCKETS; i++) {
        if (now->calls[i] < before->calls[i])
            return *now;
        since.calls[i] = now->calls[i] - before->calls[i];
    }
    return since;
}
