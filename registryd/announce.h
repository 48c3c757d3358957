/* Events in the log. */
#ifndef REGISTRYD_ANNOUNCE_H
#define REGISTRYD_ANNOUNCE_H

#include "core/events.h"

/* A chronicle's listener (`unused` may be NULL): one line for each transition to or from open and for each operator's
 * action: which breaker, what, why, by whom, and what follows. Other events are no news. */
void announce(const struct event *, void *unused);

#endif
