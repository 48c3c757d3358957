#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static void amount(double value, enum unit unit, char out[16])
{
    static const char *const names[][3] = {[UNIT_NS] = {"ns", "us", "ms"}, [UNIT_BYTES] = {"B", "KiB", "MiB"}};
    if (unit == UNIT_PERCENT) {
        snprintf(out, 16, "%.2f %%", value);
        return;
    }
    double step = unit == UNIT_NS ? 1000 : 1024;
    unsigned i = 0;
    for (; i < 2 && value >= step; i++)
        value /= step;
    snprintf(out, 16, "%.1f %s", value, names[unit][i]);
}

static void processor_name(char out[80])
{
    char line[256];
    snprintf(out, 80, "unknown processor");
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out, 80, "%.79s", strchr(line, ':') + 2);
            break;
        }
    }
    if (file)
        fclose(file);
}

static void head_print(double load)
{
    char processor[80];
    struct utsname host;
    processor_name(processor);
    uname(&host);
    printf("%s, %u CPUs, Linux %s; %d runs in turn, median, spread of the middle half\n", processor, place_count(),
           host.release, RUNS);
    if (load > 1.5)
        printf("others are using this machine (load %.1f): the figures may be off\n", load);
    printf("\n%-47s %10s %7s   %-16s %5s\n", "what", "median", "spread", "at most", "used");
}

static const char *verdict(const struct result *result)
{
    if (!result->measured)
        return "not measured here";
    if (!result->limited)
        return "";
    return result->passed ? "pass" : "MISS";
}

unsigned print_table(const struct samples *samples)
{
    unsigned missed = 0;
    head_print(samples->load);
    for (enum row_id id = 0; id < ROWS; id++) {
        if (!samples->asked[rows[id].group])
            continue;
        struct result result;
        char median[16] = "-", spread[16] = "", used[16] = "";
        row_judge(id, samples, &result);
        if (result.measured)
            amount(result.median, rows[id].unit, median);
        if (samples->count[id] > 1)
            snprintf(spread, sizeof spread, "%.0f %%", result.spread);
        if (result.measured && result.limited)
            snprintf(used, sizeof used, "%.0f %%", result.used * 100);
        printf("%-47s %10s %7s   %-16s %5s  %s\n", rows[id].what, median, spread,
               result.limited ? rows[id].limit.text : "", used, verdict(&result));
        missed += !result.passed;
    }
    if (missed)
        printf("\n%u of the limits missed\n", missed);
    return missed;
}

unsigned print_json(const struct samples *samples)
{
    static const char *const units[] = {[UNIT_NS] = "ns", [UNIT_BYTES] = "bytes", [UNIT_PERCENT] = "percent"};
    const char *separator = "";
    unsigned missed = 0;
    printf("[");
    for (enum row_id id = 0; id < ROWS; id++) {
        if (!samples->asked[rows[id].group])
            continue;
        struct result result;
        row_judge(id, samples, &result);
        printf("%s\n  {\"what\": \"%s\", \"unit\": \"%s\", \"measured\": %s", separator, rows[id].what,
               units[rows[id].unit], result.measured ? "true" : "false");
        if (result.measured)
            printf(", \"median\": %.2f, \"min\": %.2f, \"max\": %.2f, \"spread_percent\": %.1f", result.median,
                   result.least, result.most, result.spread);
        if (result.measured && result.limited)
            printf(", \"at_most\": \"%s\", \"used\": %.3f, \"pass\": %s", rows[id].limit.text, result.used,
                   result.passed ? "true" : "false");
        printf("}");
        separator = ",";
        missed += !result.passed;
    }
    printf("\n]\n");
    return missed;
}
