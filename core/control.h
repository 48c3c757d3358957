/*
 * One control block: two copies and a commit word. A writer, who holds the block's mutex, fills the copy that is not
 * committed and then stores the commit word; a writer that dies before that store has changed nothing.
 * Copies move between memory and a private value as core/copy.h says; a reader that finds the commit word moved tries
 * again.
 */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include "core/segment.h"

/* Copy `size` bytes at `offset` of the committed copy, all of one commit; *commit is its word. False: after bounded
 * retries there was none, because a writer keeps overtaking. `offset` and `size` are multiples of 8. */
bool control_load(const struct control *, size_t offset, size_t size, void *out, uint64_t *commit);

/* Make *next the committed copy. The caller holds the block's mutex. */
void control_store(struct control *, const struct control_copy *next);

/* The committed copy's name, used blocks only. */
bool control_is(const struct control *, const char *name);
bool control_used(const struct control *);

/* A block that may be written. */
struct control *control_of(struct segment *, uint32_t slot);

#endif
