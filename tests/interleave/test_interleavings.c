/*
 * The call path itself (call.c, settle.c, reap.c, transition.c, lane.c and place.c of core/, around the gate) in every
 * order in which its accesses to the shared memory can happen, with everybody killed anywhere.
 */
#include <criterion/criterion.h>

#include "tests/interleave/search.h"

#define BIT(outcome) (1u << (outcome))
#define SUCCEED      BIT(OUTCOME_SUCCESS)
#define FAIL         BIT(OUTCOME_FAILURE)
#define IGNORE       BIT(OUTCOME_IGNORED)
#define LEASE        "open_timeout=1s half_open_timeout=2s "

#define EVERY_ORDER(name, ...)                                                                                         \
    Test(interleavings, name)                                                                                          \
    {                                                                                                                  \
        uint64_t states = search_all(&(struct scenario){__VA_ARGS__});                                                 \
        cr_log_info("%llu states", (unsigned long long)states);                                                        \
        cr_assert_gt(states, 5000, "that cannot be all");                                                              \
    }

#define TIMED LEASE "failure_threshold=1 call_timeout=2s"

EVERY_ORDER(one_probe, LEASE "failure_threshold=1", .due = true, .callers = 3, .outcomes = SUCCEED | FAIL | IGNORE,
            .resets = 1)
EVERY_ORDER(two_probes_of_two, LEASE "half_open_max_calls=2 success_threshold=2", .due = true, .callers = 3,
            .outcomes = SUCCEED | FAIL, .trips = 1)
EVERY_ORDER(lost_leases, LEASE, .due = true, .callers = 2, .outcomes = SUCCEED | FAIL, .lapses = 1, .waits = 2)
EVERY_ORDER(trip, LEASE "failure_threshold=2", .callers = 3, .outcomes = SUCCEED | FAIL | IGNORE, .resets = 1)
EVERY_ORDER(transitions, LEASE "failure_threshold=1", .due = true, .callers = 2, .outcomes = SUCCEED | FAIL, .trips = 1,
            .count = true)
EVERY_ORDER(death, LEASE "failure_threshold=1", .due = true, .callers = 3, .outcomes = SUCCEED | FAIL, .kills = 1,
            .daemon_kills = 1)
EVERY_ORDER(deaths, LEASE "half_open_max_calls=2 success_threshold=2", .due = true, .callers = 2,
            .outcomes = SUCCEED | FAIL, .kills = 2, .daemon_kills = 1, .resets = 1)
EVERY_ORDER(overdue, TIMED, .callers = 2, .outcomes = SUCCEED | FAIL, .ticks = 1, .daemon_kills = 1, .waits = 1)
EVERY_ORDER(overdue_probe, TIMED, .due = true, .callers = 1, .outcomes = SUCCEED | FAIL, .kills = 1, .daemon_kills = 1,
            .ticks = 2, .resets = 1, .waits = 1)
EVERY_ORDER(bulkhead, LEASE "max_concurrent=1", .callers = 3, .outcomes = SUCCEED, .kills = 2, .daemon_kills = 1)
EVERY_ORDER(bulkhead_probe, LEASE "max_concurrent=1", .due = true, .callers = 2, .outcomes = SUCCEED | FAIL, .kills = 2,
            .daemon_kills = 1)
