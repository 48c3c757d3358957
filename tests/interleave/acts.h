/* What they do in a world, each as a strand's act. `arg` is the caller that it is about; else NULL. */
#ifndef TESTS_ACTS_H
#define TESTS_ACTS_H

void caller_asks(void *arg);
void caller_settles(void *arg);
void daemon_reaps(void *arg);
void daemon_ticks(void *arg);
void daemon_lapses(void *arg);
void operator_trips(void *arg);
void operator_resets(void *arg);

#endif
