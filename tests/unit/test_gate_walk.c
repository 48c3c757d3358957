/* The gate under everything at once: every short interleaving of callers, outcomes and time, and words that nobody of us
 * wrote. */
#include "gate_fixture.h"
#include "random_word.h"

/* ---- every interleaving ---- */

#define CALLERS 3

/* A small world: the gate, and who holds which permit. */
struct world {
    uint64_t word, now;
    struct {
        bool held, probe;
        uint16_t epoch;
    } permits[CALLERS];
    unsigned passed; /* probe successes in this epoch */
};

static unsigned long steps;

static unsigned probes_held(const struct world *world)
{
    unsigned held = 0;
    for (int i = 0; i < CALLERS; i++)
        held += world->permits[i].held && world->permits[i].probe && world->permits[i].epoch == gate_epoch(world->word);
    return held;
}

/* What must hold between a world and the next, whatever happened in between. */
static void check(const struct world *before, const struct world *after, enum gate_event event, struct gate_step got,
                  const struct policy *policy)
{
    enum breaker_state from = gate_state(before->word), to = gate_state(after->word);
    bool changed = gate_epoch(before->word) != gate_epoch(after->word);
    cr_assert_eq(changed, from != to, "an epoch is a state");
    cr_assert_eq(changed, got.cause != CAUSE_NONE, "every change has a cause and nothing else has");
    if (to == STATE_HALF_OPEN)
        cr_assert_eq(gate_probes(after->word), probes_held(after), "probes in flight are those that callers hold");
    else
        cr_assert_eq(probes_held(after), 0);
    cr_assert_leq(gate_probes(after->word), to == STATE_HALF_OPEN ? policy->half_open_max_calls : 63);
    if (event == GATE_SUCCESS && changed)
        cr_assert(to == STATE_CLOSED && before->passed + 1 == policy->success_threshold, "closes at the threshold");
    if (event == GATE_FAILURE && changed)
        cr_assert(from == STATE_HALF_OPEN && to == STATE_OPEN);
    if (from == STATE_OPEN && to == STATE_OPEN)
        cr_assert_eq(before->word, after->word, "the deadline does not move");
    if (from == STATE_OPEN && changed)
        cr_assert(event == GATE_ACQUIRE && gate_retry_after_ms(before->word, policy, after->now) == 0);
}

static struct world next(const struct world *before, enum gate_event event, int caller, const struct policy *policy)
{
    struct world after = *before;
    struct gate_input input = {.event = event, .epoch = before->permits[caller].epoch, .cause = CAUSE_STREAK};
    bool counts = input.epoch == gate_epoch(before->word);
    struct gate_step got = gate_step(before->word, input, policy, before->now);
    after.word = got.next;
    after.permits[caller].held = event == GATE_ACQUIRE && got.answer == ANSWER_ADMITTED;
    if (after.permits[caller].held) {
        after.permits[caller].probe = got.probe;
        after.permits[caller].epoch = gate_epoch(got.next);
    }
    if (event == GATE_SUCCESS && counts && gate_state(before->word) == STATE_HALF_OPEN)
        after.passed++;
    if (got.cause)
        after.passed = 0;
    check(before, &after, event, got, policy);
    steps++;
    return after;
}

static void walk(const struct world *world, unsigned depth, const struct policy *policy)
{
    static const enum gate_event outcomes[] = {GATE_SUCCESS, GATE_FAILURE, GATE_IGNORED, GATE_TRIP};
    struct world after = *world;
    if (depth == 0)
        return;
    after.now += 10;
    walk(&after, depth - 1, policy);
    for (int caller = 0; caller < CALLERS; caller++) {
        if (!world->permits[caller].held) {
            after = next(world, GATE_ACQUIRE, caller, policy);
            walk(&after, depth - 1, policy);
            break; /* callers without a permit are alike */
        }
    }
    for (int caller = 0; caller < CALLERS; caller++)
        for (size_t i = 0; world->permits[caller].held && i < sizeof outcomes / sizeof *outcomes; i++) {
            if (outcomes[i] == GATE_TRIP && world->permits[caller].probe)
                continue; /* what a call in a closed breaker may lead to */
            after = next(world, outcomes[i], caller, policy);
            walk(&after, depth - 1, policy);
        }
}

static void walk_all(const char *text)
{
    struct policy policy = policy_of(text);
    struct world closed = {.word = gate_closed(UINT16_MAX), .now = NOW}, open = closed;
    open.word = step(closed.word, GATE_TRIP, &policy, NOW - policy.open_timeout_ms).next;
    steps = 0;
    walk(&closed, 7, &policy);
    walk(&open, 7, &policy);
    cr_assert_gt(steps, 20000, "only %lu steps", steps);
}

Test(gate_walk, one_probe)
{
    walk_all("failure_threshold=1 open_timeout=10ms half_open_timeout=20ms");
}

Test(gate_walk, fewer_probes_than_successes)
{
    walk_all("failure_threshold=1 open_timeout=20ms half_open_timeout=10ms success_threshold=2");
}

Test(gate_walk, more_probes_than_successes)
{
    walk_all("failure_threshold=1 open_timeout=10ms half_open_timeout=10ms half_open_max_calls=3 success_threshold=2 "
             "backoff_multiplier=2 jitter=50");
}

/* ---- words that nobody of us wrote ---- */

static const char *const settings[] = {
    "",
    "half_open_max_calls=63 success_threshold=63 half_open_timeout=30m",
    "half_open_success_rate=100 half_open_minimum_probes=63",
    "half_open_success_rate=1 half_open_minimum_probes=1 half_open_max_calls=5",
    "open_timeout=1ms half_open_timeout=1ms jitter=100",
    "open_timeout=168h max_open_timeout=168h backoff_multiplier=100 jitter=100 half_open_max_calls=2",
};
#define SETTINGS (sizeof settings / sizeof *settings)

/* Whatever is in it, one step leaves a word of ours, or the same word. */
Test(gate_walk, a_wild_word_does_no_harm)
{
    for (size_t s = 0; s < SETTINGS; s++) {
        struct policy policy = policy_of(settings[s]);
        for (int i = 0; i < 100000; i++) {
            uint64_t word = random_word(), now = random_word();
            for (unsigned event = 0; event <= GATE_OVERRIDE; event++) {
                struct gate_step got = step(word, event, &policy, now);
                cr_assert(got.next == word || gate_state(got.next) <= STATE_METRICS_ONLY);
                cr_assert_leq(got.answer, ANSWER_REJECTED_PROBES);
                cr_assert(!got.probe || gate_state(got.next) == STATE_HALF_OPEN);
            }
            cr_assert_leq(gate_state_at(word, &policy, now), STATE_METRICS_ONLY);
            uint64_t wait = gate_retry_after_ms(word, &policy, now);
            cr_assert(wait <= POLICY_MAX_MS || wait == UINT64_MAX, "%lu ms", wait);
        }
    }
}

/* A caller an hour, and all calls succeed: does the breaker close? */
static bool recovers(uint64_t word, const struct policy *policy, uint64_t now)
{
    for (int hours = 0; hours < 1000; hours++) {
        struct gate_step got = step(word, GATE_ACQUIRE, policy, now);
        word = got.next;
        if (gate_state(word) == STATE_CLOSED)
            return true;
        if (got.probe)
            word = step(word, GATE_SUCCESS, policy, now).next;
        now += 3600000;
    }
    return false;
}

Test(gate_walk, a_wild_word_never_sticks)
{
    for (size_t s = 0; s < SETTINGS; s++) {
        struct policy policy = policy_of(settings[s]);
        for (int i = 0; i < 30000; i++) {
            uint64_t word = random_word(), now = random_word() >> 26;
            if (i % 2) /* half of them half-open, where most can go wrong */
                word = (word & (UINT64_MAX >> 3)) | (uint64_t)STATE_HALF_OPEN << 61;
            if (gate_state(word) >= STATE_FORCED_OPEN && gate_state(word) <= STATE_METRICS_ONLY && !(word << 24))
                word = step(word, GATE_AUTO, &policy, now).next; /* an override without an end stays by design */
            cr_assert(recovers(word, &policy, now), "%016lx at %lu with '%s'", word, now, settings[s]);
        }
    }
}

/* What is read without writing is what the next caller finds. */
Test(gate_walk, looking_tells_what_a_caller_will_find)
{
    for (size_t s = 0; s < SETTINGS; s++) {
        struct policy policy = policy_of(settings[s]);
        for (int i = 0; i < 100000; i++) {
            uint64_t word = random_word(), now = random_word() >> 26;
            struct gate_step got = step(word, GATE_ACQUIRE, &policy, now);
            cr_assert_eq(gate_state_at(word, &policy, now), gate_state(got.next), "%016lx", word);
            if (gate_retry_after_ms(word, &policy, now) > 0)
                cr_assert_eq(got.answer, ANSWER_REJECTED_OPEN, "%016lx", word);
            else
                cr_assert_neq(got.answer, ANSWER_REJECTED_OPEN, "%016lx", word);
        }
    }
}
