/* cbctl's command line. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *registry; /* NULL: $CB_REGISTRY, else "default" */
    const char *reason, *policy;
    uint64_t for_ms, timeout_ms; /* 0: not given */
    bool json, names, all, offline, verbose, help, version;
    bool dashes; /* the arguments came after a "--" */
    int argc;    /* what is left: names, files, a command to run */
    char **argv;
};

/* What each option is called; a command lists those that it takes. */
#define OPTION_JSON    "j"
#define OPTION_NAMES   "n"
#define OPTION_ALL     "a"
#define OPTION_REASON  "r"
#define OPTION_FOR     "f"
#define OPTION_OFFLINE "o"
#define OPTION_POLICY  "p"
#define OPTION_TIMEOUT "t"
#define OPTION_VERBOSE "v"

/*
 * Read the options in argv[1..], those in `allowed` and the ones that are good everywhere (--registry, --help,
 * --version), into *options, and leave the rest in options->argv. `everywhere`: also behind other arguments, else up to
 * the first of them. 0, or EXIT_USAGE after saying on stderr what is wrong.
 */
int options_read(struct options *options, const char *allowed, bool everywhere, int argc, char **argv);

/* The options of `allowed` for a usage line, " [--json] [--reason TEXT]". Returns `out`. */
const char *options_usage(const char *allowed, char *out, int size);

#endif
