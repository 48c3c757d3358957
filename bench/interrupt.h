/* Ctrl-C ends a measurement in order: what it started ends, too. */
#ifndef BENCH_INTERRUPT_H
#define BENCH_INTERRUPT_H

#include <signal.h>

/* The signal that came; 0: none. To be looked at by whatever takes long. */
extern volatile sig_atomic_t interrupted;

void interrupt_catch(void);

#endif
