#include "core/call.h"

#include "core/clock.h"
#include "core/counters.h"
#include "core/panel.h"
#include "core/place.h"
#include "core/transition.h"

/* What asks for more in the lane than a word. */
#define TRAITS_SLOW_PATH (TRAIT_CALL_TIMEOUT | TRAIT_LIMITED)

static uint64_t call_word(uint32_t slot, uint64_t gate, bool probe)
{
    return CALL_BUSY | (probe ? CALL_PROBE : 0) | (uint64_t)gate_epoch(gate) << 16 | slot;
}

static uint64_t started_now(const struct segment *segment, uint64_t commit)
{
    if (!(commit & TRAITS_TIMED))
        return 0;
    if (segment->virtual_ms)
        return *segment->virtual_ms * 1000000u + 1; /* + 1: never 0 */
    return clock_started(commit, segment_tick(segment));
}

/* An acquisition under way: what it holds so far, so that a rejection can give it back. */
struct attempt {
    const struct segment *segment;
    struct lane *lane;
    uint32_t slot, entry, place;
    uint64_t call; /* as it stands in the lane */
};

static void attempt_store(struct attempt *a, uint64_t flags)
{
    if (a->entry != LANE_NONE)
        atomic_store_explicit(&lane_call(a->segment, a->entry)->call, a->call | flags, memory_order_release);
}

static void attempt_undo(struct attempt *a)
{
    if (a->entry == LANE_NONE)
        return;
    place_release(a->segment, a->place, a->entry, a->call);
    atomic_store_explicit(&lane_call(a->segment, a->entry)->call, call_freed(a->call), memory_order_release);
}

/* Write the call down as pending: whoever finds it so after our death knows that it may hold a probe, or not. */
static void attempt_claim(struct attempt *a, const struct policy_view *view, uint64_t now_ms)
{
    a->call = CALL_BUSY | CALL_PENDING | a->slot;
    a->entry = lane_claim(a->segment, a->lane, &a->call);
    a->call &= ~CALL_PENDING;
    if (a->entry == LANE_NONE)
        return;
    atomic_store_explicit(&lane_call(a->segment, a->entry)->started_ms, now_ms, memory_order_relaxed);
    if (view->policy.call_timeout_ms != 0)
        a->call |= CALL_TIMED;
}

/* False: it is to have a place under max_concurrent, and none is left. Without room in the lanes it is admitted untracked,
 * but a place is held by an entry or not at all. */
static bool attempt_begin(struct attempt *a, const struct policy_view *view, uint64_t now_ms, bool limited)
{
    if (a->call == 0)
        attempt_claim(a, view, now_ms);
    if (!limited || a->place != 0)
        return true;
    if (a->entry == LANE_NONE)
        return false;
    a->call |= CALL_PLACED;
    attempt_store(a, CALL_PENDING);
    a->place = place_take(a->segment, view, a->entry, a->call);
    return a->place != 0;
}

/* The pending entry names the epoch and the probe that we are about to take; then the gate is swapped; then it is ours. */
static bool attempt_enter(struct attempt *a, uint64_t *word, struct gate_step step)
{
    a->call &= ~(CALL_PROBE | UINT64_C(0xffff) << 16);
    a->call |= (step.probe ? CALL_PROBE : 0) | (uint64_t)gate_epoch(step.next) << 16;
    attempt_store(a, CALL_PENDING);
    struct actor actor = {.pid = process_pid(lane_identity(a->lane))};
    if (!transition_swap(a->segment, a->slot, word, step, NULL, actor))
        return false;
    attempt_store(a, 0);
    return true;
}

static enum breaker_answer attempt_reject(struct attempt *a, enum breaker_answer answer)
{
    attempt_undo(a);
    count_rejection(segment_stripe(a->segment, a->slot, stripe_here(a->segment)), answer);
    return answer;
}

static enum breaker_answer acquire_slowly(struct attempt *a, uint64_t word)
{
    struct policy_view view;
    panel_policy_or_default(a->segment, a->slot, &view);
    for (;;) {
        uint64_t now = segment_now_ms(a->segment);
        struct gate_step step = gate_step(word, (struct gate_input){.event = GATE_ACQUIRE}, &view.policy, now);
        if (step.answer != ANSWER_ADMITTED) {
            if (transition_swap(a->segment, a->slot, &word, step, NULL, (struct actor){0}))
                return attempt_reject(a, step.answer);
            continue;
        }
        bool limited = view.policy.max_concurrent && gate_state(step.next) <= STATE_HALF_OPEN;
        if (!attempt_begin(a, &view, now, limited))
            return attempt_reject(a, ANSWER_REJECTED_CONCURRENCY);
        if (attempt_enter(a, &word, step))
            return ANSWER_ADMITTED;
    }
}

static enum breaker_answer acquire_held(struct attempt *a, uint64_t gate, uint64_t commit, struct held *held)
{
    enum breaker_answer answer = acquire_slowly(a, gate);
    if (answer == ANSWER_ADMITTED)
        *held = (struct held){
            .call = a->call,
            .in_lane = a->entry != LANE_NONE ? lane_call(a->segment, a->entry) : NULL,
            .entry = a->entry + 1, /* LANE_NONE + 1 == 0 */
            .place = a->place,
            .owner = lane_serial(a->lane),
            .started = started_now(a->segment, commit),
        };
    return answer;
}

enum breaker_answer call_acquire(const struct segment *segment, struct lane *lane, uint32_t slot, uint64_t commit,
                                 struct held *held)
{
    uint64_t gate = atomic_load_explicit(&segment_slot(segment, slot)->gate, memory_order_acquire);
    if (__builtin_expect(gate_state(gate) == STATE_CLOSED && !(commit & TRAITS_SLOW_PATH), 1)) {
        held->call = call_word(slot, gate, false);
        held->entry = lane_claim(segment, lane, &held->call) + 1;
        held->place = 0;
        held->started = started_now(segment, commit);
        held->owner = lane_serial(lane);
        held->in_lane = held->entry ? lane_call(segment, held->entry - 1) : NULL;
        return ANSWER_ADMITTED;
    }
    if (gate_keeps_out(gate, segment_now_ms(segment))) {
        count_one(&segment_stripe(segment, slot, stripe_here(segment))->rejected_open);
        return ANSWER_REJECTED_OPEN;
    }
    struct attempt a = {.segment = segment, .lane = lane, .slot = slot, .entry = LANE_NONE};
    return acquire_held(&a, gate, commit, held);
}
