/* The runtime folder: where a registry's socket and lock file lie, and who may run. */
#ifndef REGISTRYD_RUNDIR_H
#define REGISTRYD_RUNDIR_H

#include <stdbool.h>

#include "core/layout.h"

struct rundir {
    char path[PATH_SIZE];
    char socket[PATH_SIZE]; /* PATH/NAME.sock */
    char lock[PATH_SIZE];   /* PATH/NAME.lock: locked, and holds the pid, while the daemon runs */
    int fd;                 /* of the lock; -1: not held */
};

/* Find the folder (`path` NULL: the usual one), create it if need be, and take the lock of registry `name`. `shared`:
 * other users have business in it. False: why not has been said. */
bool rundir_open(struct rundir *, const char *path, const char *name, bool shared);

/* Remove the lock file and let go. */
void rundir_close(struct rundir *);

#endif
