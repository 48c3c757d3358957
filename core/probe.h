/*
 * Static trace points (USDT) of the provider `cbclient`: each is a no-operation instruction, and a note in the binary
 * that tells tracers (bpftrace, perf, systemtap) where it is and where its arguments are. Nothing is computed for them.
 * Built without <sys/sdt.h>, there are none. docs/tracing.md is their documentation; the arguments are part of it.
 */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
/* A call was admitted by the breaker of that name. */
#define PROBE_ACQUIRE(name)                            DTRACE_PROBE1(cbclient, acquire, name)
/* A call was rejected: enum breaker_answer. */
#define PROBE_REJECT(name, why)                        DTRACE_PROBE2(cbclient, reject, name, why)
/* A call was settled: enum outcome. */
#define PROBE_OUTCOME(name, how)                       DTRACE_PROBE2(cbclient, outcome, name, how)
/* A gate changed its state: enum breaker_state twice, enum cause, and the number behind it. */
#define PROBE_TRANSITION(name, from, to, cause, value) DTRACE_PROBE5(cbclient, transition, name, from, to, cause, value)
#else
#define PROBE_ACQUIRE(name)      ((void)(name))
#define PROBE_REJECT(name, why)  ((void)(name), (void)(why))
#define PROBE_OUTCOME(name, how) ((void)(name), (void)(how))
#define PROBE_TRANSITION(name, from, to, cause, value)                                                                 \
    ((void)(name), (void)(from), (void)(to), (void)(cause), (void)(value))
#endif

#endif
