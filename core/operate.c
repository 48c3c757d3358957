/* What an operator does to a gate, and looking at one without touching it. */
#include "core/call.h"
#include "core/clock.h"
#include "core/panel.h"
#include "core/place.h"
#include "core/transition.h"

void call_operate(const struct segment *segment, uint32_t slot, struct gate_input input, struct actor actor)
{
    struct policy_view view;
    panel_policy_or_default(segment, slot, &view);
    const struct numbers by_hand = {.value = NUMBER_BY_HAND};
    transition_apply(segment, slot, input, &view.policy, input.event == GATE_AUTO ? &by_hand : NULL, actor);
}

static uint64_t gate_of(const struct segment *segment, uint32_t slot)
{
    return atomic_load_explicit(&segment_slot(segment, slot)->gate, memory_order_acquire);
}

static bool is_full(const struct segment *segment, const struct policy_view *view)
{
    return view->policy.max_concurrent != 0 && place_count_taken(segment, view) >= view->policy.max_concurrent;
}

enum breaker_answer call_query(const struct segment *segment, uint32_t slot)
{
    struct policy_view view;
    if (!panel_policy(segment, slot, &view))
        return ANSWER_ADMITTED;
    struct gate_step step = gate_step(gate_of(segment, slot), (struct gate_input){.event = GATE_ACQUIRE}, &view.policy,
                                      segment_now_ms(segment));
    if (step.answer == ANSWER_ADMITTED && gate_state(step.next) <= STATE_HALF_OPEN && is_full(segment, &view))
        return ANSWER_REJECTED_CONCURRENCY;
    return step.answer;
}

enum breaker_state call_state(const struct segment *segment, uint32_t slot)
{
    struct policy_view view;
    uint64_t gate = gate_of(segment, slot);
    if (gate_state(gate) == STATE_CLOSED)
        return STATE_CLOSED;
    panel_policy_or_default(segment, slot, &view);
    return gate_state_at(gate, &view.policy, segment_now_ms(segment));
}

uint64_t call_retry_after_ms(const struct segment *segment, uint32_t slot)
{
    struct policy_view view;
    panel_policy_or_default(segment, slot, &view);
    return gate_retry_after_ms(gate_of(segment, slot), &view.policy, segment_now_ms(segment));
}
