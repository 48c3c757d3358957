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

/* The registry is a group's: its members must be able to enter the folder, which may have been made when nobody else
 * was to come in. Only the `usual` one is ours to open; of another it is said. */
void rundir_share(const struct rundir *, bool usual);

/* Remove the lock file and let go. */
void rundir_close(struct rundir *);

/* Remove the socket that a killed daemon has left, if no process has it any more. */
void rundir_sweep(const struct rundir *);

#endif
