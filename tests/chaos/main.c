/*
 * chaos - workers, daemon and tools killed and stopped at random under load, with an oracle that knows every outcome.
 *
 *     chaos [--seed N] [--kills N] [--registryd FILE] SECONDS
 *
 * Ends after that many seconds or kills, or with the first round in which something was wrong. A seed repeats what is
 * done; when exactly each process feels it, is up to the kernel.
 * Exit code: 0, nothing was wrong; 1, something was; 2, it could not run.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "campaign.h"

static bool number_read(const char *text, uint64_t *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool plan_read(struct plan *plan, int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"kills", required_argument, NULL, 'k'},
        {"registryd", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    uint64_t number = 0;
    int letter;
    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == '?' || (letter != 'r' && !number_read(optarg, &number)))
            return false;
        if (letter == 's')
            plan->seed = number;
        else if (letter == 'k')
            plan->kills = (unsigned)number;
        else
            plan->registryd = optarg;
    }
    if (argc - optind != 1 || !number_read(argv[optind], &number))
        return false;
    plan->seconds = (unsigned)number;
    return number > 0 && number <= 86400;
}

int main(int argc, char **argv)
{
    struct plan plan = {.seed = (uint64_t)time(NULL), .registryd = REGISTRYD_PATH, .cbctl = CBCTL_PATH};
    struct report report = {0};
    if (!plan_read(&plan, argc, argv)) {
        fprintf(stderr, "usage: chaos [--seed N] [--kills N] [--registryd FILE] SECONDS\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    report.seed = plan.seed;
    if (!campaign_run(&plan, &report))
        return 2;
    report_print(&report);
    return report.violations > 0;
}
