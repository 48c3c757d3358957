/* A worker's act on a breaker, cut short and overtaken after every instruction, and what must hold then. */
#ifndef TESTS_PLAY_H
#define TESTS_PLAY_H

#include "tests/process/peer.h"

#define PLAY_WARM      1u /* another breaker than the one acted on, for calls that only warm a lane up */
#define PLAY_IN(state) (1u << (state))

struct play {
    const char *policy;
    void (*setup)(void);   /* in the test's process; NULL: nothing */
    void (*prepare)(void); /* in the worker; NULL: it is an operator, whose act counts whenever it comes */
    void (*act)(void);
    unsigned ends;  /* states in which the gate may be once the dead worker is reaped */
    unsigned calls; /* outcomes that its call may have left: 1, or 2 where it dies settling it */
};

/* A worker that died in a call before, for acts that are the daemon's; 0: none. */
extern pid_t play_dead;

/* What the daemon does about a dead worker. */
void play_reap(pid_t);
/* In a scene of its own: the whole of it. */
void play_perform(const struct play *);

#endif
