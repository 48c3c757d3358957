/*
 * A child process that goes one instruction at a time, so that it can be stopped or killed after any of them (ptrace).
 *
 * The child prepares at full speed and then acts between two markers. What a test forks for it is a copy of the test's
 * own process; shared mappings stay shared. It dies with the test.
 */
#ifndef TESTS_STEP_H
#define TESTS_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct stepper {
    pid_t pid;
    bool over; /* the act is done; the child waits to be killed */
};

/* Fork the child and let it prepare (NULL: nothing): it stands before the first instruction of its act. */
void stepper_start(struct stepper *, void (*prepare)(void), void (*act)(void));
/* Take hold of a child that runs already, wherever it stands; it has no act that would be over. */
void stepper_seize(struct stepper *, pid_t child);
/* One instruction. False: the act is over. */
bool stepper_step(struct stepper *);
/* To where it enters or leaves its next system call. False: the act is over. */
bool stepper_to_system_call(struct stepper *);
/* Let it run to the end of its act. */
void stepper_finish(struct stepper *);
/* SIGKILL where it stands, and wait for its end. */
void stepper_kill(struct stepper *);

#endif
