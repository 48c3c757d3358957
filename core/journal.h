/* The journal: a ring of raw notes about transitions. Anybody appends, nobody waits, and nobody vouches for it: a worker
 * can be killed between its transition and its note, and a note can be forged. core/gather.h makes events of it. */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include "core/segment.h"
#include "core/words.h"

struct journal_entry {
    uint64_t sequence, time_ms, value, of, threshold, until_ms;
    uint32_t slot, pid, uid;
    uint16_t epoch;
    unsigned from, to, cause;
    unsigned incarnation; /* low 8 bits of its slot's; set by journal_append() */
};

/* `sequence` and `incarnation` are given here. */
void journal_append(const struct segment *, const struct journal_entry *);
uint64_t journal_next(const struct segment *);  /* the number the next entry will get */
uint64_t journal_first(const struct segment *); /* the oldest that may still be there */
/* false: overwritten, or not (completely) written. */
bool journal_read(const struct segment *, uint64_t sequence, struct journal_entry *out);

#endif
