/* The breakers of the campaign, and what may be done to each. */
#ifndef CHAOS_CAST_H
#define CHAOS_CAST_H

#include <stdbool.h>

#define CAST_LASTING  9 /* there from first to last, and counted; the rest is removed and created again */
#define CAST_SIZE     12
#define CAST_STUCK_MS 250 /* after that long without anybody else, each of them admits a call: see the policies */
#define CAST_POLICIES 2

struct part {
    const char *name;
    const char *policy[CAST_POLICIES]; /* in their shortest form; an operator changes between them */
    unsigned most;                     /* calls inside at once; 0: any number */
    bool uncounted;                    /* an operator may disable it: its counts tell nothing then */
};
extern const struct part cast[CAST_SIZE];

static inline bool cast_lasts(unsigned part)
{
    return part < CAST_LASTING;
}

#endif
