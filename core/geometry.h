/* From counts to sizes and offsets: the one computation that both the creator and every joiner make. */
#ifndef CORE_GEOMETRY_H
#define CORE_GEOMETRY_H

#include "core/segment.h"

/* Fill the header's counts, offsets and sizes. False: a count is out of its range (nothing can overflow within them). */
bool geometry_plan(const struct geometry *, struct panel_header *);

/* The counts that a header states. */
void geometry_of(const struct panel_header *, struct geometry *out);

/* Sizes and offsets of everything shared, the word size, the kind of libc: equal on both sides, or they cannot share. */
uint32_t layout_hash(void);

#endif
