#include "report.h"

#include <stdio.h>

static void ratio_print(const struct timeline *timeline, double shared, double apart)
{
    if (shared > 0)
        printf("%s%11.1f x%s\n", timeline_shade(timeline, SHADE_GREEN), apart / shared,
               timeline_shade(timeline, SHADE_PLAIN));
    else
        printf("%13s\n", "-");
}

static void count_row(const struct timeline *timeline, const char *what, unsigned shared, unsigned apart)
{
    printf("  %-46s %11u   %15u   ", what, shared, apart);
    ratio_print(timeline, shared, apart);
}

static void seconds_row(const struct timeline *timeline, const char *what, uint64_t shared_us, uint64_t apart_us)
{
    printf("  %-46s %9.2f s   %13.2f s   ", what, (double)shared_us / 1e6, (double)apart_us / 1e6);
    ratio_print(timeline, (double)shared_us, (double)apart_us);
}

void report_print(const struct timeline *timeline, const struct crew crews[CREWS], const struct outage *outage)
{
    const struct crew *one = &crews[CREW_SHARED], *each = &crews[CREW_PRIVATE];
    printf("%s  %-46s %11s   %15s   %13s%s\n", timeline_shade(timeline, SHADE_BOLD), "What this outage cost",
           "one breaker", "a breaker each", "ratio", timeline_shade(timeline, SHADE_PLAIN));
    count_row(timeline, "calls that waited for the time-out", one->waited, each->waited);
    seconds_row(timeline, "worker time lost waiting", one->lost_us, each->lost_us);
    seconds_row(timeline, "until every worker failed fast", one->told_us - outage->hung_us,
                each->told_us - outage->hung_us);
    count_row(timeline, "probes sent to the service", one->probes, each->probes);
    seconds_row(timeline, "from recovery until every worker was served", one->back_us - outage->recovered_us,
                each->back_us - outage->recovered_us);
    printf("  %-46s %8.0f ms   %15s\n", "the killed worker's call was counted after", (double)outage->counted_us / 1e3,
           "never");
    printf("\n  One breaker: only the calls already under way had to wait; then every worker knew with its next\n"
           "  call, and one probe at a time asked whether the service was back.\n"
           "  A breaker each: every worker paid for its own 5 time-outs and sent its own probes.\n\n");
}
