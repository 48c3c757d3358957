#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/clock.h"

void report_violation(struct report *report, const char *format, ...)
{
    va_list list;
    report->violations++;
    progress_clear(&report->progress);
    printf("VIOLATION in round %u of seed %llu: ", report->rounds, (unsigned long long)report->seed);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
}

static uint64_t age_ms(const struct report *report)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000 - report->began_ms;
}

void report_progress(struct report *report, unsigned seconds)
{
    if (progress_due(&report->progress))
        progress_say(&report->progress, "chaos: %llu of %u s, round %u, %u killed, %u stopped",
                     (unsigned long long)age_ms(report) / 1000, seconds, report->rounds, report_kills(report),
                     report->stopped[VICTIM_WORKER] + report->stopped[VICTIM_DAEMON] + report->stopped[VICTIM_TOOL]);
}

unsigned report_kills(const struct report *report)
{
    unsigned kills = 0;
    for (unsigned i = 0; i < VICTIMS; i++)
        kills += report->killed[i];
    return kills;
}

static void victims_print(const char *what, const unsigned count[VICTIMS])
{
    printf("  %-10s %u: workers %u, daemon %u, tools %u\n", what,
           count[VICTIM_WORKER] + count[VICTIM_DAEMON] + count[VICTIM_TOOL], count[VICTIM_WORKER], count[VICTIM_DAEMON],
           count[VICTIM_TOOL]);
}

void report_print(struct report *report)
{
    progress_clear(&report->progress);
    uint64_t took_ms = age_ms(report);
    printf("chaos: seed %llu, %llu.%llu s, %u rounds\n", (unsigned long long)report->seed,
           (unsigned long long)took_ms / 1000, (unsigned long long)took_ms / 100 % 10, report->rounds);
    victims_print("killed", report->killed);
    printf("             %u of the workers within a call of the library\n", report->struck);
    victims_print("stopped", report->stopped);
    printf("  calls      %llu settled, %llu rejected, %llu abandoned, %llu overdue; %u runs of cbctl\n",
           (unsigned long long)report->settled, (unsigned long long)report->rejected,
           (unsigned long long)report->abandoned, (unsigned long long)report->overdue, report->errands);
    printf("  events     %llu transitions told, %llu of them filled in for somebody who was killed\n",
           (unsigned long long)report->events, (unsigned long long)report->filled);
    printf("  longest    %.1f ms in one library call, with what the processor did for others meanwhile\n",
           (double)report->longest_ns / 1e6);
    printf("  violations %u\n", report->violations);
}
