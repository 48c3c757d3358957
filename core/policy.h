/* A breaker's settings and their text form: `key=value` separated by spaces, durations with ms, s, m or h. */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include <stddef.h>
#include <stdint.h>

enum window_kind { WINDOW_NONE, WINDOW_COUNT, WINDOW_TIME };
enum timing { TIMING_OFF, TIMING_COARSE, TIMING_PRECISE };

/* Limits that the gate word and the memory's layout set. */
#define POLICY_MAX_PROBES     63        /* half_open_max_calls, success_threshold, half_open_minimum_probes */
#define POLICY_MAX_LEASE_MS   1800000   /* half_open_timeout: 30 minutes */
#define POLICY_MAX_MS         604800000 /* every other duration: 7 days */
#define POLICY_MAX_WINDOW     1000      /* count:N */
#define POLICY_MAX_CONCURRENT 65535
#define POLICY_TEXT_SIZE      512 /* enough for every canonical text, terminator included */
#define POLICY_ERROR_SIZE     256

/* All fields resolved: no preset and no "unset" is left in it. Fixed width, no padding: it lies in shared memory as it
 * is and is compared with memcmp. Durations in milliseconds. */
struct policy {
    uint32_t failure_threshold;
    uint32_t failure_rate_threshold;   /* percent */
    uint32_t slow_call_rate_threshold; /* percent */
    uint32_t slow_call_duration_ms;
    uint32_t window;      /* enum window_kind */
    uint32_t window_size; /* calls, or milliseconds */
    uint32_t minimum_calls;
    uint32_t open_timeout_ms;
    uint32_t backoff_milli; /* backoff_multiplier x 1000 */
    uint32_t max_open_timeout_ms;
    uint32_t jitter; /* percent */
    uint32_t half_open_max_calls;
    uint32_t success_threshold;
    uint32_t half_open_success_rate; /* percent */
    uint32_t half_open_minimum_probes;
    uint32_t half_open_timeout_ms;
    uint32_t call_timeout_ms;
    uint32_t max_concurrent;
    uint32_t timing;      /* enum timing */
    uint32_t reserved[5]; /* zero */
};
_Static_assert(sizeof(struct policy) == 96, "policy lies in shared memory");

void policy_default(struct policy *);

/*
 * Parse `text` into *out, which is written only if all of it is good. NULL or "": the defaults.
 * 0, or -EINVAL with `error` naming the key, the value and the range or what would be right. Keys that depend on each
 * other are checked together at the end (a rate needs a window ...). Duplicate and unknown keys are errors.
 */
int policy_parse(const char *text, struct policy *out, char error[POLICY_ERROR_SIZE]);

/* One key of it, for the table in the docs, configuration files and completion: the key at `index`, or NULL. */
const char *policy_key(size_t index);

/* The canonical text: the keys that differ from the defaults, in the table's order; parses back to the same policy. */
void policy_format(const struct policy *, char out[POLICY_TEXT_SIZE]);

/* Is what lies in memory a policy that could have been parsed? Every range is checked. */
int policy_valid(const struct policy *);

#endif
