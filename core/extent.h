/* Extents of bulkhead places: which breaker has which. What is taken follows from the blocks; nothing else keeps it. */
#ifndef CORE_EXTENT_H
#define CORE_EXTENT_H

#include "core/segment.h"

/* Find room for `length` places, all emptied; -ENOSPC, -ENOMEM. The caller holds the header's mutex and commits the
 * extent to a block before letting go of it. */
int extent_find(struct segment *, uint32_t length, uint32_t *first, char error[SEGMENT_ERROR_SIZE]);

/* Make the extent at `first` longer where it lies, the new places emptied: false if there is no room behind it. */
bool extent_extend(struct segment *, uint32_t first, uint32_t old_length, uint32_t length);

/* After a crash: where the last extent ends. */
void extent_recover(struct segment *);

#endif
