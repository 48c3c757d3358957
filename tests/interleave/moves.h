/* Moves: that somebody makes an access, begins something or is killed, or that time passes. */
#ifndef TESTS_MOVES_H
#define TESTS_MOVES_H

#include "tests/interleave/world.h"

enum move_kind { STEP, SETTLE, KILL, REAP, KILL_DAEMON, TICK, LAPSE, TRIP, RESET, WAIT };
struct move {
    enum move_kind kind;
    unsigned who; /* a strand; STRANDS: time */
    enum outcome outcome;
};

#define MOVES_MAX 32
/* All that can come next, or enough of it to come to all states that matter; how many. */
unsigned moves_list(struct move moves[MOVES_MAX]);
void move_make(struct move);
/* Before it is made: who makes it, and at which word. */
void move_tell(struct move, char what[64]);
/* Before it is made: whose call it helps to settle, through the caller or the daemon that reaps it; NULL: nobody's. */
const struct caller *move_settles_for(struct move);

#endif
