/*
 * A guest: a process that attaches to the test's own daemon, creates a breaker and makes its first call, and that ends
 * in the middle of that. The test has attached as well; it sees in memory and daemon what is left of a guest.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include "cbclient.h"
#include "core/segment.h"
#include "tests/harness.h"

#define GUEST_BREAKER "dependency"
#define GUEST_POLICY  "failure_threshold=1000000"

struct house { /* where guests come */
    struct daemon daemon;
    cb_registry *registry;  /* the test's own */
    struct segment segment; /* the same memory */
    unsigned descriptors;   /* that the daemon has open without guests */
};
extern struct house house;

void house_open(void);
void house_close(void);

/* The act, in the guest's process: ends with the call in flight. */
void guest_acts(void);

/* How the daemon does, at the guest's step number `step` (for the message). */
void house_answers(unsigned step);
/* A dead guest's worker number, its place in the lanes and its connection go, by the deadline; then others can create
 * its breaker, call it and remove it. Returns how many of its calls are counted as abandoned, one at most. */
uint64_t guest_leaves_nothing(pid_t guest, unsigned step);

#endif
