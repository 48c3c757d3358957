/* The registry that the command line names. */
#ifndef TOOLS_REGISTRY_H
#define TOOLS_REGISTRY_H

#include "options.h"
#include <cbclient.h>

/* Its name, also when there is none. */
const char *registry_name(const struct options *);

/* Attach to it, or say on stderr why not. Private memory is refused: an operator means the breakers that the workers
 * use. Returns 0 or an exit code; *out is for cb_detach() only after 0. */
int registry_open(const struct options *, cb_registry **out);

/* Attach and find the breaker that the first argument names. */
int registry_open_breaker(const struct options *, cb_registry **registry, cb_breaker **breaker);

/* Say why there is no registry (`error` from cb_attach) and what would help. Returns the exit code. */
int registry_report(const struct options *, int error, const char *consequence);

/* The memory is there and can be read, but the daemon does not answer. Returns the exit code. */
int registry_report_unreachable(const struct options *);

#endif
