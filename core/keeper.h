/*
 * The keeper of a registry: who may write its panel and has a scribe. One at a time: the daemon as long as it runs, or
 * `cbctl --offline` for the moment of a change while no daemon runs. Being it is holding a robust mutex in the panel: a
 * keeper that is killed makes way at once, and workers, who cannot write there, can keep nobody out.
 *
 * Lock order: this one before all others. It belongs to a thread: the one that took it leaves it.
 */
#ifndef CORE_KEEPER_H
#define CORE_KEEPER_H

#include "core/segment.h"

enum keeper { KEEPER_DAEMON, KEEPER_TOOL };

/* Become the keeper; waits for a tool to end, not for a daemon. 0; -EBUSY: there is another (keeper_pid()). */
int keeper_take(struct segment *, enum keeper);

/* Before the memory is unmapped. Not the keeper: nothing. */
void keeper_leave(struct segment *);

/* The process that is, or was last, the keeper; 0: it left. */
uint32_t keeper_pid(const struct segment *);
/* Is, or was, that one a daemon? */
bool keeper_serves(const struct segment *);

#endif
