/* What the campaign did and what it found. */
#ifndef CHAOS_REPORT_H
#define CHAOS_REPORT_H

#include <stdint.h>

#include "tools/progress.h"

enum victim { VICTIM_WORKER, VICTIM_DAEMON, VICTIM_TOOL, VICTIMS };

struct report {
    uint64_t seed, began_ms;
    unsigned rounds, violations;
    unsigned killed[VICTIMS], stopped[VICTIMS];
    unsigned struck;  /* of the workers killed: within a library call */
    unsigned errands; /* cbctl processes */
    uint64_t settled, rejected, abandoned, overdue;
    uint64_t events, filled; /* transitions told by events; those whose own record was never written */
    uint64_t longest_ns;
    struct progress progress; /* taken away before something is printed */
};

/* Something that must not be: printed at once. */
__attribute__((format(printf, 2, 3))) void report_violation(struct report *, const char *format, ...);
/* How far it is, on a terminal. */
void report_progress(struct report *, unsigned seconds);
unsigned report_kills(const struct report *);
void report_print(struct report *);

#endif
