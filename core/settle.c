/* Outcomes: what a finished, dead or overdue call does to its breaker. */
#include "core/settle.h"

#include "core/clock.h"
#include "core/counters.h"
#include "core/panel.h"
#include "core/place.h"
#include "core/transition.h"
#include "core/window.h"

struct verdict {
    enum cause cause; /* CAUSE_NONE: nothing is reached */
    struct numbers numbers;
};

/* The streak is this epoch's, or of one before it. It was read before the gate (acquire): as long as that is in this epoch,
 * no later one has a streak. */
static bool is_ours_to_replace(const struct slot *slot, uint64_t streak, uint16_t epoch)
{
    return streak >> 48 == epoch || gate_epoch(atomic_load_explicit(&slot->gate, memory_order_acquire)) == epoch;
}

/* Consecutive failures of one epoch: a compare-and-swap, so that no process's failure is lost. Who was held up until the
 * breaker moved on must not put its old epoch over the streak of a later one. */
static uint64_t streak_add(struct slot *slot, uint16_t epoch)
{
    uint64_t old = atomic_load_explicit(&slot->streak, memory_order_acquire), next;
    do {
        if (!is_ours_to_replace(slot, old, epoch))
            return 0;
        next = (old >> 48 == epoch ? old : (uint64_t)epoch << 48) + 1;
    } while (
        !atomic_compare_exchange_weak_explicit(&slot->streak, &old, next, memory_order_acquire, memory_order_acquire));
    return next & STREAK_MASK;
}

/* Only writes when there is a streak: closed and healthy, all processes just read this line. One that an earlier epoch has
 * left is cleared as well, so that successes are plain again after a recovery. */
static void streak_clear(struct slot *slot, uint16_t epoch)
{
    uint64_t old = atomic_load_explicit(&slot->streak, memory_order_acquire);
    while ((old & STREAK_MASK) != 0 && is_ours_to_replace(slot, old, epoch))
        if (atomic_compare_exchange_weak_explicit(&slot->streak, &old, (uint64_t)epoch << 48, memory_order_acquire,
                                                  memory_order_acquire))
            break;
}

static struct verdict judge_window(const struct policy *policy, struct window_sum sum)
{
    if (sum.calls == 0 || sum.calls < policy->minimum_calls)
        return (struct verdict){0};
    if (policy->failure_rate_threshold && sum.failures * 100 >= policy->failure_rate_threshold * sum.calls)
        return (struct verdict){CAUSE_FAILURE_RATE, {sum.failures, sum.calls, policy->failure_rate_threshold}};
    if (policy->slow_call_rate_threshold && sum.slow * 100 >= policy->slow_call_rate_threshold * sum.calls)
        return (struct verdict){CAUSE_SLOW_RATE, {sum.slow, sum.calls, policy->slow_call_rate_threshold}};
    return (struct verdict){0};
}

static enum cause streak_cause(enum outcome outcome)
{
    return outcome == OUTCOME_ABANDONED ? CAUSE_ABANDONED : outcome == OUTCOME_OVERDUE ? CAUSE_OVERDUE : CAUSE_STREAK;
}

/* An outcome on its way into the breaker. */
struct settlement {
    const struct segment *segment;
    struct stripe *stripe;
    uint32_t slot;
    uint16_t epoch;
    enum outcome outcome;
    bool failed, slow;
    uint64_t now_ms; /* with a time window only */
    struct actor actor;
};

static struct window window_of(const struct policy_view *view)
{
    return (struct window){(enum window_kind)view->policy.window, view->policy.window_size, view->window_id};
}

static struct verdict judge_streak(const struct settlement *s, const struct policy *policy)
{
    uint64_t streak = streak_add(segment_slot(s->segment, s->slot), s->epoch);
    if (policy->failure_threshold && streak >= policy->failure_threshold)
        return (struct verdict){streak_cause(s->outcome), {streak, 0, policy->failure_threshold}};
    return (struct verdict){0};
}

static void trip(const struct segment *segment, uint32_t slot, uint16_t epoch, struct verdict verdict,
                 const struct policy *policy, struct actor actor)
{
    struct gate_input input = {.event = GATE_TRIP, .epoch = epoch, .cause = verdict.cause};
    transition_apply(segment, slot, input, policy, &verdict.numbers, actor);
}

static void settle_closed(const struct settlement *s, const struct policy_view *view, bool may_trip)
{
    struct slot *slot = segment_slot(s->segment, s->slot);
    struct window window = window_of(view);
    struct verdict verdict = {0};
    window_record(slot, s->stripe, window, s->epoch, s->failed, s->slow);
    if (s->failed)
        verdict = judge_streak(s, &view->policy);
    else
        streak_clear(slot, s->epoch);
    if ((s->failed || s->slow) && !verdict.cause && window.kind != WINDOW_NONE)
        verdict = judge_window(&view->policy, window_sum(s->segment, s->slot, window, s->epoch, s->now_ms));
    if (verdict.cause && may_trip)
        trip(s->segment, s->slot, s->epoch, verdict, &view->policy, s->actor);
}

static void settle_probe(const struct settlement *s, const struct policy *policy)
{
    struct gate_input input = {.event = GATE_SUCCESS, .epoch = s->epoch};
    if (s->outcome == OUTCOME_IGNORED) {
        input.event = GATE_IGNORED;
    } else if (s->failed) {
        input.event = GATE_FAILURE;
        input.cause = s->outcome == OUTCOME_FAILURE ? CAUSE_PROBE_FAILED : streak_cause(s->outcome);
    } else if (s->slow && policy->slow_call_rate_threshold) {
        input = (struct gate_input){.event = GATE_FAILURE, .epoch = s->epoch, .cause = CAUSE_SLOW_RATE};
    }
    transition_apply(s->segment, s->slot, input, policy, NULL, s->actor);
}

static bool is_slow(const struct policy *policy, enum outcome outcome, uint64_t took_ns)
{
    return (outcome == OUTCOME_SUCCESS || outcome == OUTCOME_FAILURE) && took_ns != TOOK_MEASURED &&
           policy->slow_call_duration_ms != 0 && took_ns >= policy->slow_call_duration_ms * UINT64_C(1000000);
}

static void count(struct settlement *s, const struct policy_view *view, bool windowed, uint64_t took_ns)
{
    struct slot *slot = segment_slot(s->segment, s->slot);
    if (windowed && view->policy.window == WINDOW_TIME) {
        s->now_ms = segment_now_ms(s->segment);
        window_prepare(s->stripe, window_of(view), s->epoch, s->now_ms);
    }
    count_outcome(slot, s->stripe, s->outcome, windowed, took_ns != TOOK_MEASURED, took_ns);
    if (s->slow)
        count_one(&s->stripe->slow);
}

void outcome_apply(const struct segment *segment, uint64_t call, enum outcome outcome, uint64_t took_ns,
                   struct actor actor)
{
    uint32_t number = (uint32_t)(call & 0xffff);
    struct settlement s = {
        .segment = segment,
        .stripe = segment_stripe(segment, number, stripe_here(segment)),
        .slot = number,
        .epoch = (uint16_t)(call >> 16),
        .outcome = outcome,
        .failed = outcome == OUTCOME_FAILURE || outcome == OUTCOME_ABANDONED || outcome == OUTCOME_OVERDUE,
        .actor = actor,
    };
    uint64_t gate = atomic_load_explicit(&segment_slot(segment, number)->gate, memory_order_acquire);
    bool current = gate_epoch(gate) == s.epoch;
    enum breaker_state state = gate_state(gate);
    bool windowed = current && (state == STATE_CLOSED || state == STATE_METRICS_ONLY);
    struct policy_view view;
    if (current && state == STATE_DISABLED)
        return;
    panel_policy_or_default(segment, number, &view);
    s.slow = is_slow(&view.policy, outcome, took_ns);
    count(&s, &view, windowed, took_ns);
    if (windowed && outcome != OUTCOME_IGNORED)
        settle_closed(&s, &view, state == STATE_CLOSED);
    else if (current && state == STATE_HALF_OPEN)
        settle_probe(&s, &view.policy);
}

static uint64_t took_since(const struct segment *segment, const struct held *held)
{
    if (held->started == 0)
        return TOOK_MEASURED;
    if (segment->virtual_ms)
        return *segment->virtual_ms * 1000000u + 1 - held->started;
    uint64_t commit = panel_commit(segment, (uint32_t)(held->call & 0xffff));
    return clock_took_ns(commit, segment_tick(segment), held->started);
}

void probe_lost(const struct segment *segment, uint64_t call, struct actor holder)
{
    uint32_t slot = (uint32_t)(call & 0xffff);
    struct gate_input input = {.event = GATE_PROBE_LOST, .epoch = (uint16_t)(call >> 16)};
    struct policy_view view;
    if (panel_policy(segment, slot, &view))
        transition_apply(segment, slot, input, &view.policy, NULL, holder);
}

/* Where the daemon might settle a call as overdue: by exchange, so that exactly one of the two does. Who comes too late
 * frees the entry, if the daemon has not done so (yet, or ever), and then sees to the probe as well. */
static bool take_back_timed(const struct segment *segment, au64 *entry, uint64_t call, struct actor holder)
{
    uint64_t expected = call, pending = call | CALL_PENDING;
    if (atomic_compare_exchange_strong_explicit(entry, &expected, pending, memory_order_acq_rel, memory_order_relaxed))
        return true;
    if ((call & CALL_PROBE) &&
        expected == pending) /* before it is freed: if we die, too, it is still there to be found */
        probe_lost(segment, call, holder);
    atomic_compare_exchange_strong_explicit(entry, &pending, call_freed(call), memory_order_acq_rel,
                                            memory_order_relaxed);
    return false;
}

/* Take the call back from the lane before its outcome is applied. */
static bool take_back(const struct segment *segment, const struct held *held, struct actor actor)
{
    if (held->entry == 0)
        return true;
    au64 *entry = &lane_call(segment, held->entry - 1)->call;
    if (held->call & CALL_TIMED)
        return take_back_timed(segment, entry, held->call, actor);
    if (held->call & CALL_PROBE)
        atomic_store_explicit(entry, held->call | CALL_PENDING, memory_order_release);
    return true;
}

/* A failure where only the streak counts: of the policy one number is needed, read where it lies, with the commit word
 * again behind it. Comes to the same as outcome_apply(). False: it is not such a failure, nothing was done. */
static bool settle_plain_failure(const struct segment *segment, const struct held *held, struct actor actor)
{
    uint32_t number = (uint32_t)(held->call & 0xffff);
    uint16_t epoch = (uint16_t)(held->call >> 16);
    struct slot *slot = segment_slot(segment, number);
    uint64_t commit = panel_commit(segment, number);
    const struct policy *policy = &segment->controls[number].copy[commit & 1].policy;
    uint32_t threshold = __atomic_load_n(&policy->failure_threshold, __ATOMIC_ACQUIRE);
    if ((held->call & CALL_SPECIAL) || held->started != 0 || !(commit & TRAIT_USED) ||
        (commit & (TRAIT_WINDOW_COUNT | TRAIT_WINDOW_TIME)) ||
        atomic_load_explicit(&slot->gate, memory_order_acquire) != gate_closed(epoch) ||
        panel_commit(segment, number) != commit)
        return false;
    count_one(&segment_stripe(segment, number, stripe_here(segment))->failures);
    uint64_t streak = streak_add(slot, epoch);
    struct policy_view view;
    if (threshold != 0 && streak >= threshold && panel_policy(segment, number, &view))
        trip(segment, number, epoch, (struct verdict){CAUSE_STREAK, {streak, 0, threshold}}, &view.policy, actor);
    if (held->entry)
        entry_free(segment, held->entry - 1, held->call);
    return true;
}

int call_settle(const struct segment *segment, struct lane *lane, struct held *held, enum outcome outcome,
                uint64_t took_ns)
{
    if (__builtin_expect(held->owner != lane_serial(lane), 0))
        return CALL_NOT_MINE;
    struct actor actor = {.pid = process_pid(lane_identity(lane))};
    if (outcome == OUTCOME_FAILURE && took_ns == TOOK_MEASURED && settle_plain_failure(segment, held, actor))
        return CALL_SETTLED;
    if (took_ns == TOOK_MEASURED)
        took_ns = took_since(segment, held);
    if (!take_back(segment, held, actor))
        return CALL_WAS_OVERDUE;
    if (held->place)
        place_release(segment, held->place, held->entry - 1, held->call);
    outcome_apply(segment, held->call, outcome, took_ns, actor);
    if (held->entry)
        entry_free(segment, held->entry - 1, held->call);
    return CALL_SETTLED;
}
