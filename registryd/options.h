/* The command line. */
#ifndef REGISTRYD_OPTIONS_H
#define REGISTRYD_OPTIONS_H

#include <stdint.h>

enum action { ACTION_RUN, ACTION_CHECK, ACTION_PURGE };

struct options {
    enum action action;
    const char *registry, *config, *runtime_dir, *state, *http; /* NULL: not given */
    uint32_t capacity;                                          /* 0: not given */
};

/* Fill *options, or end the process: --help and --version with 0, a usage error with 2. */
void options_parse(struct options *, int argc, char **argv);

#endif
