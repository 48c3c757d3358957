/* The daemon as a whole: what it consists of, in which order it comes up and goes down. */
#ifndef REGISTRYD_DAEMON_H
#define REGISTRYD_DAEMON_H

#include "registryd/config.h"
#include "registryd/options.h"

/* Run until a signal ends it. `config` is the file's content so far and stays the caller's. Returns the exit status. */
int daemon_run(const struct options *, struct config *config);

/* The configuration has no error: say so, unless the registry's name is none. Returns the exit status. */
int daemon_check(const struct options *, const struct config *config);

/* Remove the memory of a registry that has no daemon. Returns the exit status. */
int daemon_purge(const struct options *, const struct config *config);

#endif
