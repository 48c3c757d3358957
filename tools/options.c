#include "options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"
#include "report.h"

#define GOOD_EVERYWHERE "RhV"

static const struct option known[] = {
    {"all", no_argument, NULL, 'a'},
    {"for", required_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, 'j'},
    {"names", no_argument, NULL, 'n'},
    {"policy", required_argument, NULL, 'p'},
    {"reason", required_argument, NULL, 'r'},
    {"registry", required_argument, NULL, 'R'},
    {"timeout", required_argument, NULL, 't'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"offline", no_argument, NULL, 'o'},
    {NULL, 0, NULL, 0},
};

static const char *option_name(int letter)
{
    const struct option *option = known;
    while (option->name && option->val != letter)
        option++;
    return option->name;
}

static int duration_read(const char *option, const char *text, uint64_t *ms)
{
    if (duration_parse(text, ms) && *ms > 0)
        return 0;
    return report(EXIT_USAGE, "--%s %s: not a duration; a whole number of ms, s, m or h, such as 90s", option, text);
}

static int option_take(struct options *options, int letter, char *value)
{
    switch (letter) {
    case 'a':
        options->all = true;
        break;
    case 'f':
        return duration_read("for", value, &options->for_ms);
    case 'h':
        options->help = true;
        break;
    case 'j':
        options->json = true;
        break;
    case 'n':
        options->names = true;
        break;
    case 'o':
        options->offline = true;
        break;
    case 'p':
        options->policy = value;
        break;
    case 'r':
        options->reason = value;
        break;
    case 'R':
        options->registry = value;
        break;
    case 't':
        return duration_read("timeout", value, &options->timeout_ms);
    case 'v':
        options->verbose = true;
        break;
    case 'V':
        options->version = true;
        break;
    }
    return 0;
}

int options_read(struct options *options, const char *allowed, bool everywhere, int argc, char **argv)
{
    int letter, code = 0;
    optind = 0; /* glibc: start afresh, with this argv */
    opterr = 0;
    const char *shorts = everywhere ? ":hvV" : "+:hvV";
    while (!code && (letter = getopt_long(argc, argv, shorts, known, NULL)) != -1) {
        if (letter == ':')
            code = report(EXIT_USAGE, "%s needs a value", argv[optind - 1]);
        else if (letter == '?')
            code = report(EXIT_USAGE, "unknown option %s; see `cbctl --help`", argv[optind - 1]);
        else if (!strchr(GOOD_EVERYWHERE, letter) && !strchr(allowed, letter))
            code = report(EXIT_USAGE, "--%s does not belong here; see `cbctl --help`", option_name(letter));
        else
            code = option_take(options, letter, optarg);
    }
    options->argc = argc - optind;
    options->argv = argv + optind;
    options->dashes = optind > 1 && !strcmp(argv[optind - 1], "--");
    return code;
}

const char *options_usage(const char *allowed, char *out, int size)
{
    static const char *const values[] = {
        ['f'] = " DURATION", ['p'] = " POLICY", ['r'] = " TEXT", ['t'] = " DURATION", ['v'] = NULL};
    int length = 0;
    *out = '\0';
    for (const char *letter = allowed; *letter && length < size; letter++) {
        const char *value = values[(unsigned char)*letter];
        length +=
            snprintf(out + length, (size_t)(size - length), " [--%s%s]", option_name(*letter), value ? value : "");
    }
    return out;
}
