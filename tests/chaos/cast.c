#include "cast.h"

/* Open for 50 ms at most, leases of 100 ms at most: no wait in the campaign is long. A bulkhead with a call_timeout may
 * have more inside than its limit, because an overdue call gives its place back: only the other one has a `most`. */
const struct part cast[CAST_SIZE] = {
    {.name = "plain",
     .policy = {"failure_threshold=20 open_timeout=20ms half_open_timeout=100ms",
                "failure_threshold=10 open_timeout=30ms half_open_timeout=100ms"}},
    {.name = "never-open",
     .policy = {"failure_threshold=1000000 open_timeout=20ms half_open_timeout=100ms",
                "failure_threshold=999999 open_timeout=20ms half_open_timeout=100ms"}},
    {.name = "last-calls",
     .policy = {"failure_rate_threshold=50 window=count:100 open_timeout=30ms half_open_max_calls=3 "
                "success_threshold=2 half_open_timeout=80ms",
                "failure_rate_threshold=40 window=count:50 open_timeout=10ms half_open_timeout=80ms"}},
    {.name = "last-second",
     .policy = {"failure_rate_threshold=40 window=time:1s minimum_calls=50 open_timeout=25ms half_open_timeout=100ms",
                "failure_rate_threshold=60 window=time:2s open_timeout=25ms half_open_timeout=100ms"}},
    {.name = "bulkhead",
     .policy = {"failure_threshold=50 open_timeout=20ms half_open_max_calls=2 half_open_timeout=100ms max_concurrent=3",
                "failure_threshold=9 open_timeout=40ms half_open_timeout=100ms max_concurrent=3"},
     .most = 3},
    {.name = "overdue",
     .policy = {"failure_threshold=10 open_timeout=30ms half_open_timeout=100ms call_timeout=40ms",
                "open_timeout=10ms half_open_timeout=50ms call_timeout=20ms"}},
    {.name = "probes",
     .policy =
         {"failure_threshold=2 open_timeout=10ms half_open_max_calls=2 success_threshold=3 half_open_timeout=60ms",
          "failure_threshold=2 open_timeout=10ms half_open_max_calls=4 half_open_success_rate=50 "
          "half_open_minimum_probes=6 half_open_timeout=60ms"}},
    {.name = "everything",
     .policy = {"failure_rate_threshold=30 window=time:1s open_timeout=10ms half_open_max_calls=2 "
                "half_open_timeout=70ms call_timeout=50ms max_concurrent=4",
                "slow_call_rate_threshold=50 slow_call_duration=5ms window=count:20 "
                "open_timeout=10ms half_open_timeout=70ms call_timeout=50ms max_concurrent=4"}},
    {.name = "operated",
     .policy = {"open_timeout=50ms half_open_timeout=100ms",
                "failure_threshold=7 open_timeout=50ms half_open_timeout=100ms"},
     .uncounted = true},
    {.name = "fleeting/1",
     .policy = {"failure_threshold=3 open_timeout=10ms", "failure_threshold=3 open_timeout=10ms"}},
    {.name = "fleeting/2", .policy = {"open_timeout=10ms max_concurrent=2", "open_timeout=10ms max_concurrent=2"}},
    {.name = "fleeting/3", .policy = {"open_timeout=10ms call_timeout=20ms", "open_timeout=10ms call_timeout=20ms"}},
};
