/* Every order in which things can happen in a world, each state of it once. */
#ifndef TESTS_SEARCH_H
#define TESTS_SEARCH_H

#include "tests/interleave/world.h"

/* Returns how many states there are. Fails, and says by which moves, at the first state in which a rule is broken. */
uint64_t search_all(const struct scenario *);

#endif
