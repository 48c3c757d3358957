#include "core/gate.h"

#define LEASE_MASK  ((UINT64_C(1) << 22) - 1)
#define ATTEMPT_MAX 31
#define COUNT_MAX   63

/* Two readers of the coarse clock may be a tick apart: a lease "from the future" by less than this is a fresh one. */
#define LEASE_SKEW_MS 1000

struct half_open {
    unsigned probes, successes, failures;
    uint64_t lease_ms; /* modulo 2^22 */
};

static uint64_t word_make(enum breaker_state state, uint16_t epoch, unsigned attempt, uint64_t payload)
{
    return (uint64_t)state << 61 | (uint64_t)epoch << 45 | (uint64_t)attempt << 40 | (payload & GATE_PAYLOAD_MASK);
}

static struct half_open half_open_of(uint64_t word)
{
    return (struct half_open){
        .probes = gate_probes(word),
        .successes = gate_successes(word),
        .failures = gate_failures(word),
        .lease_ms = word & LEASE_MASK,
    };
}

static uint64_t half_open_word(uint16_t epoch, unsigned attempt, struct half_open h)
{
    return word_make(STATE_HALF_OPEN, epoch, attempt,
                     (uint64_t)h.probes << 34 | (uint64_t)h.successes << 28 | (uint64_t)h.failures << 22 |
                         (h.lease_ms & LEASE_MASK));
}

static bool is_override(enum breaker_state state)
{
    return state == STATE_FORCED_OPEN || state == STATE_DISABLED || state == STATE_METRICS_ONLY;
}

/* +/- jitter percent, from a hash of what makes this trip unlike the next: no generator's state, and repeatable. */
static uint64_t jittered(uint64_t ms, unsigned percent, uint64_t seed)
{
    seed = (seed ^ seed >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    uint64_t span = 2 * ms * percent / 100 + 1;
    return ms - ms * percent / 100 + (seed ^ seed >> 32) % span;
}

static uint64_t open_for_ms(const struct policy *policy, unsigned attempt, uint64_t seed)
{
    uint64_t ms = policy->open_timeout_ms, most = policy->max_open_timeout_ms;
    for (unsigned i = 0; i < attempt && ms < most; i++)
        ms = ms * policy->backoff_milli / 1000;
    if (ms > most)
        ms = most;
    if (policy->jitter)
        ms = jittered(ms, policy->jitter, seed);
    if (ms > most)
        ms = most;
    return ms ? ms : 1;
}

static uint64_t opened(uint64_t word, unsigned attempt, const struct policy *policy, uint64_t now)
{
    uint64_t seed = (uint64_t)gate_epoch(word) << 48 ^ now;
    return word_make(STATE_OPEN, (uint16_t)(gate_epoch(word) + 1), attempt, now + open_for_ms(policy, attempt, seed));
}

static uint64_t reopened(uint64_t word, const struct policy *policy, uint64_t now)
{
    unsigned attempt = gate_attempt(word);
    return opened(word, attempt < ATTEMPT_MAX ? attempt + 1 : attempt, policy, now);
}

static uint64_t closed_after(uint64_t word)
{
    return gate_closed((uint16_t)(gate_epoch(word) + 1));
}

static bool lease_lapsed(struct half_open h, const struct policy *policy, uint64_t now)
{
    uint64_t age = (now - h.lease_ms) & LEASE_MASK;
    return h.probes >= policy->half_open_max_calls && age >= policy->half_open_timeout_ms &&
           age < LEASE_MASK - LEASE_SKEW_MS;
}

static bool override_ended(uint64_t word, uint64_t now)
{
    uint64_t until = word & GATE_PAYLOAD_MASK;
    return until != 0 && gate_is_due(until, now);
}

/* What is due by itself, whoever comes: the word, and why it is another one. */
static struct gate_step lapse(uint64_t word, const struct policy *policy, uint64_t now)
{
    enum breaker_state state = gate_state(word);
    struct gate_step step = {.next = word};
    if (state > STATE_METRICS_ONLY) { /* no state of ours: start over */
        step.next = closed_after(word);
        step.cause = CAUSE_DAMAGED;
    } else if (is_override(state) && override_ended(word, now)) {
        step.next = closed_after(word);
        step.cause = CAUSE_OVERRIDE_ENDED;
    } else if (state == STATE_HALF_OPEN && lease_lapsed(half_open_of(word), policy, now)) {
        step.next = reopened(word, policy, now);
        step.cause = CAUSE_LEASE_LOST;
    }
    return step;
}

static struct gate_step take_probe(uint64_t word, const struct policy *policy, uint64_t now)
{
    struct half_open h = half_open_of(word);
    if (h.probes >= policy->half_open_max_calls)
        return (struct gate_step){.next = word, .answer = ANSWER_REJECTED_PROBES};
    h.probes++;
    h.lease_ms = now;
    return (struct gate_step){.next = half_open_word(gate_epoch(word), gate_attempt(word), h), .probe = true};
}

static struct gate_step acquire(uint64_t word, const struct policy *policy, uint64_t now)
{
    switch (gate_state(word)) {
    case STATE_OPEN:
        if (gate_is_due(word & GATE_PAYLOAD_MASK, now)) {
            uint64_t entered = half_open_word((uint16_t)(gate_epoch(word) + 1), gate_attempt(word),
                                              (struct half_open){.lease_ms = now});
            struct gate_step step = take_probe(entered, policy, now);
            step.cause = CAUSE_TIMEOUT_ELAPSED;
            return step;
        }
        return (struct gate_step){.next = word, .answer = ANSWER_REJECTED_OPEN};
    case STATE_HALF_OPEN:
        return take_probe(word, policy, now);
    case STATE_FORCED_OPEN:
        return (struct gate_step){.next = word, .answer = ANSWER_REJECTED_OPEN};
    default:
        return (struct gate_step){.next = word};
    }
}

/* Enough probes are back: by rate, or (without one) by consecutive successes, where any failure has ended it before. */
static struct gate_step judge(uint64_t word, struct half_open h, bool failed, enum cause cause,
                              const struct policy *policy, uint64_t now)
{
    bool pass, fail;
    if (policy->half_open_success_rate) {
        unsigned total = h.successes + h.failures;
        bool enough = total >= policy->half_open_minimum_probes;
        pass = enough && h.successes * 100 >= policy->half_open_success_rate * total;
        fail = enough && !pass;
    } else {
        pass = !failed && h.successes >= policy->success_threshold;
        fail = failed;
    }
    if (pass)
        return (struct gate_step){.next = closed_after(word), .cause = CAUSE_PROBES_PASSED};
    if (fail)
        return (struct gate_step){.next = reopened(word, policy, now), .cause = cause ? cause : CAUSE_PROBE_FAILED};
    return (struct gate_step){.next = half_open_word(gate_epoch(word), gate_attempt(word), h)};
}

static struct gate_step outcome(uint64_t word, struct gate_input input, const struct policy *policy, uint64_t now)
{
    if (gate_state(word) != STATE_HALF_OPEN || gate_epoch(word) != input.epoch)
        return (struct gate_step){.next = word};
    if (input.event == GATE_PROBE_LOST)
        return (struct gate_step){.next = reopened(word, policy, now), .cause = CAUSE_ABANDONED};

    struct half_open h = half_open_of(word);
    if (h.probes > 0)
        h.probes--;
    if (input.event == GATE_IGNORED)
        return (struct gate_step){.next = half_open_word(gate_epoch(word), gate_attempt(word), h)};
    bool failed = input.event == GATE_FAILURE;
    if (failed && h.failures < COUNT_MAX)
        h.failures++;
    if (!failed && h.successes < COUNT_MAX)
        h.successes++;
    return judge(word, h, failed, input.cause, policy, now);
}

static struct gate_step operate(uint64_t word, struct gate_input input, const struct policy *policy, uint64_t now)
{
    switch (input.event) {
    case GATE_OPERATOR_TRIP:
        return (struct gate_step){.next = opened(word, gate_attempt(word), policy, now), .cause = CAUSE_OPERATOR_TRIP};
    case GATE_RESET:
        return (struct gate_step){.next = closed_after(word), .cause = CAUSE_OPERATOR_RESET};
    case GATE_AUTO:
        if (!is_override(gate_state(word)))
            return (struct gate_step){.next = word};
        return (struct gate_step){.next = closed_after(word), .cause = CAUSE_OVERRIDE_ENDED};
    default:
        return (struct gate_step){
            .next = word_make(input.to, (uint16_t)(gate_epoch(word) + 1), 0, input.until_ms),
            .cause = CAUSE_OVERRIDE,
        };
    }
}

struct gate_step gate_step(uint64_t word, struct gate_input input, const struct policy *policy, uint64_t now_ms)
{
    now_ms &= GATE_PAYLOAD_MASK;
    struct gate_step due = {.next = word}, step;
    switch (input.event) {
    case GATE_ACQUIRE:
        due = lapse(word, policy, now_ms);
        step = acquire(due.next, policy, now_ms);
        break;
    case GATE_LAPSE:
        return lapse(word, policy, now_ms);
    case GATE_TRIP:
        if (gate_state(word) != STATE_CLOSED || gate_epoch(word) != input.epoch)
            return due;
        return (struct gate_step){.next = opened(word, 0, policy, now_ms), .cause = input.cause};
    case GATE_SUCCESS:
    case GATE_FAILURE:
    case GATE_IGNORED:
    case GATE_PROBE_LOST:
        return outcome(word, input, policy, now_ms);
    default:
        return operate(word, input, policy, now_ms);
    }
    if (!step.cause)
        step.cause = due.cause;
    return step;
}

enum breaker_state gate_state_at(uint64_t word, const struct policy *policy, uint64_t now_ms)
{
    now_ms &= GATE_PAYLOAD_MASK;
    word = lapse(word, policy, now_ms).next;
    enum breaker_state state = gate_state(word);
    if (state == STATE_OPEN && gate_is_due(word & GATE_PAYLOAD_MASK, now_ms))
        return STATE_HALF_OPEN;
    return state;
}

uint64_t gate_retry_after_ms(uint64_t word, const struct policy *policy, uint64_t now_ms)
{
    now_ms &= GATE_PAYLOAD_MASK;
    word = lapse(word, policy, now_ms).next;
    uint64_t until = word & GATE_PAYLOAD_MASK;
    switch (gate_state(word)) {
    case STATE_OPEN:
        return gate_is_due(until, now_ms) ? 0 : until - now_ms;
    case STATE_FORCED_OPEN:
        return until == 0 ? UINT64_MAX : until - now_ms;
    default:
        return 0;
    }
}
