/* The name index: open addressing, written under the header's mutex, read without a lock. */
#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include "core/segment.h"

/* Where a name was found, and the slot that its entry led to at that moment. */
struct index_hit {
    uint32_t position, slot;
};
bool index_find(const struct segment *, const char *name, struct index_hit *out);

void index_insert(struct segment *, const char *name, uint32_t slot);
void index_remove(struct segment *, uint32_t position);

/* Make it agree with the blocks; a reader finds at every moment what was right before and after. */
void index_repair(struct segment *);

#endif
