#include "core/transition.h"

#include "core/clock.h"
#include "core/journal.h"
#include "core/panel.h"
#include "core/probe.h"

#define EPOCH_BITS 16

/* `carried` has the count at some epoch; the gate's epoch says how many have come since (modulo 65,536). */
static uint64_t carry(uint64_t carried, uint16_t epoch)
{
    uint64_t count = carried >> EPOCH_BITS;
    return (count + (uint16_t)(epoch - (uint16_t)carried)) << EPOCH_BITS | epoch;
}

/* Whoever transits carries over everything up to the epoch that it made: what a killed worker left undone included. */
static void count_transitions(struct slot *slot, uint16_t epoch)
{
    uint64_t old = atomic_load_explicit(&slot->transitions, memory_order_relaxed);
    while ((int16_t)(epoch - (uint16_t)old) > 0)
        if (atomic_compare_exchange_weak_explicit(&slot->transitions, &old, carry(old, epoch), memory_order_relaxed,
                                                  memory_order_relaxed))
            break;
}

uint64_t transition_count(const struct slot *slot)
{
    /* Counted first: if the gate moves on in between, its newer epoch is still carried over rightly. */
    uint64_t carried = atomic_load_explicit(&slot->transitions, memory_order_acquire);
    return carry(carried, gate_epoch(atomic_load_explicit(&slot->gate, memory_order_relaxed))) >> EPOCH_BITS;
}

uint16_t transition_origin(const struct slot *slot)
{
    uint64_t carried = atomic_load_explicit(&slot->transitions, memory_order_acquire);
    return (uint16_t)(carried - (carried >> EPOCH_BITS));
}

/* When the new state ends by itself; 0: it does not. */
static uint64_t until_of(uint64_t word)
{
    return gate_state(word) != STATE_HALF_OPEN ? word & GATE_PAYLOAD_MASK : 0;
}

static void journal_transition(const struct segment *segment, uint32_t slot, uint64_t from, struct gate_step step,
                               struct numbers numbers, struct actor actor)
{
    journal_append(segment, &(struct journal_entry){
                                .time_ms = segment_now_ms(segment),
                                .value = numbers.value,
                                .of = numbers.of,
                                .threshold = numbers.threshold,
                                .until_ms = until_of(step.next),
                                .slot = slot,
                                .pid = actor.pid,
                                .uid = actor.uid,
                                .epoch = gate_epoch(step.next),
                                .from = gate_state(from),
                                .to = gate_state(step.next),
                                .cause = step.cause,
                            });
}

static void trace_transition(const struct segment *segment, uint32_t slot, uint64_t from, struct gate_step step,
                             uint64_t value)
{
    const char *name = segment->controls[slot].copy[panel_commit(segment, slot) & 1].name;
    PROBE_TRANSITION(name, gate_state(from), gate_state(step.next), step.cause, value);
}

bool transition_swap(const struct segment *segment, uint32_t slot, uint64_t *word, struct gate_step step,
                     const struct numbers *numbers, struct actor actor)
{
    struct slot *shared = segment_slot(segment, slot);
    uint64_t from = *word;
    if (step.next == from)
        return true;
    /* Release: what was decided on (lane entry, streak) is there before the new state; acquire: pairs with it. */
    if (!atomic_compare_exchange_strong_explicit(&shared->gate, word, step.next, memory_order_acq_rel,
                                                 memory_order_acquire))
        return false;
    if (step.cause) {
        count_transitions(shared, gate_epoch(step.next));
        journal_transition(segment, slot, from, step, numbers ? *numbers : (struct numbers){0}, actor);
        trace_transition(segment, slot, from, step, numbers ? numbers->value : 0);
    }
    return true;
}

/* How the probes stand with this outcome. */
static struct numbers probe_numbers(uint64_t word, enum gate_event event, const struct policy *policy)
{
    if (gate_state(word) != STATE_HALF_OPEN || (event != GATE_SUCCESS && event != GATE_FAILURE))
        return (struct numbers){0};
    uint64_t successes = gate_successes(word) + (event == GATE_SUCCESS);
    uint64_t failures = gate_failures(word) + (event == GATE_FAILURE);
    if (policy->half_open_success_rate)
        return (struct numbers){successes, successes + failures, policy->half_open_success_rate};
    return (struct numbers){successes, 0, policy->success_threshold};
}

struct gate_step transition_apply(const struct segment *segment, uint32_t slot, struct gate_input input,
                                  const struct policy *policy, const struct numbers *numbers, struct actor actor)
{
    uint64_t word = atomic_load_explicit(&segment_slot(segment, slot)->gate, memory_order_acquire);
    struct gate_step step;
    struct numbers of_probes;
    do {
        step = gate_step(word, input, policy, segment_now_ms(segment));
        of_probes = step.cause && !numbers ? probe_numbers(word, input.event, policy) : (struct numbers){0};
    } while (!transition_swap(segment, slot, &word, step, numbers ? numbers : &of_probes, actor));
    return step;
}
