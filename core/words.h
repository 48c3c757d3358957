/* States, answers, outcomes and causes: the one list of each. Values are those of the public header. */
#ifndef CORE_WORDS_H
#define CORE_WORDS_H

#define STATES(X)                                                                                                      \
    X(STATE_CLOSED, 0, "closed")                                                                                       \
    X(STATE_OPEN, 1, "open")                                                                                           \
    X(STATE_HALF_OPEN, 2, "half-open")                                                                                 \
    X(STATE_FORCED_OPEN, 3, "forced-open")                                                                             \
    X(STATE_DISABLED, 4, "disabled")                                                                                   \
    X(STATE_METRICS_ONLY, 5, "metrics-only")

#define STATE_UNKNOWN 255 /* in an event: nobody knows; its name is "?" */

#define ANSWERS(X)                                                                                                     \
    X(ANSWER_ADMITTED, 0, "admitted")                                                                                  \
    X(ANSWER_REJECTED_OPEN, 1, "rejected:open")                                                                        \
    X(ANSWER_REJECTED_PROBES, 2, "rejected:probes")                                                                    \
    X(ANSWER_REJECTED_CONCURRENCY, 3, "rejected:concurrency")

/* Why a breaker changed; written to the journal, so values stay what they are. */
#define CAUSES(X)                                                                                                      \
    X(CAUSE_NONE, 0, "none")                                                                                           \
    X(CAUSE_STREAK, 1, "streak")                                                                                       \
    X(CAUSE_FAILURE_RATE, 2, "failure rate")                                                                           \
    X(CAUSE_SLOW_RATE, 3, "slow rate")                                                                                 \
    X(CAUSE_PROBE_FAILED, 4, "probe failed")                                                                           \
    X(CAUSE_PROBES_PASSED, 5, "probes passed")                                                                         \
    X(CAUSE_TIMEOUT_ELAPSED, 6, "timeout elapsed")                                                                     \
    X(CAUSE_LEASE_LOST, 7, "lease lost")                                                                               \
    X(CAUSE_ABANDONED, 8, "abandoned")                                                                                 \
    X(CAUSE_OVERDUE, 9, "overdue")                                                                                     \
    X(CAUSE_OPERATOR_TRIP, 10, "operator trip")                                                                        \
    X(CAUSE_OPERATOR_RESET, 11, "operator reset")                                                                      \
    X(CAUSE_OVERRIDE, 12, "operator override")                                                                         \
    X(CAUSE_OVERRIDE_ENDED, 13, "override ended")                                                                      \
    X(CAUSE_CREATED, 14, "created")                                                                                    \
    X(CAUSE_REMOVED, 15, "removed")                                                                                    \
    X(CAUSE_POLICY, 16, "policy changed")                                                                              \
    X(CAUSE_LOST, 17, "lost with its writer")                                                                          \
    X(CAUSE_MISSED, 18, "missed")                                                                                      \
    X(CAUSE_RESTORED, 19, "restored")                                                                                  \
    X(CAUSE_DAMAGED, 20, "damage repaired")

#define WORD_ENUM(symbol, value, text) symbol = value,
enum breaker_state { STATES(WORD_ENUM) };
enum breaker_answer { ANSWERS(WORD_ENUM) };
enum cause { CAUSES(WORD_ENUM) };

enum outcome { OUTCOME_SUCCESS, OUTCOME_FAILURE, OUTCOME_IGNORED, OUTCOME_ABANDONED, OUTCOME_OVERDUE };

/* The text of a word; "?" for a value that is none (it may come from shared memory). */
const char *state_name(unsigned state);
const char *answer_name(unsigned answer);
const char *cause_name(unsigned cause);

#endif
