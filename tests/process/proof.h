/* A worker in the middle of its call, a daemon, and whether that takes it for dead. Each test begins with
 * proof_begin() and ends with proof_end(). */
#ifndef TESTS_PROOF_H
#define TESTS_PROOF_H

#include "libcbclient/cbclient.h"
#include "tests/process/await.h"

struct proof {
    _Atomic int at;           /* how far the child has come */
    _Atomic pid_t grandchild; /* one that is to end with the test; 0: none */
};
extern struct proof *proof; /* shared with the children */
extern struct daemon host;
extern cb_registry *registry; /* the test's own */
extern cb_breaker *breaker;   /* "dependency" */

void proof_begin(void);
void proof_end(void);
struct cb_snapshot counts(void);

/* Children: be attached and in a call; say how far it has come. */
void call_begins(void);
void reached(int at);
/* The same, then wait for ever. */
void hangs(void *unused);

/* Start a child and wait until it is there. */
pid_t child_at(void (*does)(void *), int at);
/* Kill it, and wait for its end. */
void child_ends(pid_t);

/* The daemon has done whatever it would do. */
void daemon_goes_round(void);
void still_in_flight(void);
void abandoned_once(void);

#endif
