/* The benchmark's result, for a reader or for a program. */
#ifndef BENCH_PRINT_H
#define BENCH_PRINT_H

#include "row.h"

/* Each returns how many rows missed what they must reach. */
unsigned print_table(const struct samples *);
unsigned print_json(const struct samples *);

#endif
