/* What must hold in a world. */
#ifndef TESTS_RULES_H
#define TESTS_RULES_H

#include "tests/interleave/world.h"

/* In every state: NULL, or what is wrong. */
const char *rules_state(void);
/* Between what was before a move and the world as it is now. `settled`: whose call it has helped to settle, or NULL. */
const char *rules_move(uint64_t gate_before, uint64_t age_before, const struct caller *settled);
/* When it is over. */
const char *rules_end(void);
/* Of the beginning: what is counted by then. */
void rules_begin(void);

#endif
