/* Damage to a breaker's state. */
#include "core/check.h"

#include "core/clock.h"
#include "core/events.h"
#include "core/panel.h"
#include "core/transition.h"

#define SLACK_MS    60000               /* a policy may have been changed since its slot was checked last */
#define STREAK_MOST (UINT64_C(1) << 40) /* more calls than ever fail */
#define COUNT_SHIFT 16                  /* of slot.transitions */

/* What is known of a breaker's state that no worker can write. */
struct known {
    struct control_copy block;
    uint64_t noted, open_until, now_ms;
};

static bool override_in_force(const struct known *known)
{
    const struct override *override = &known->block.override;
    return override->state >= STATE_FORCED_OPEN && (override->until_ms == 0 || known->now_ms < override->until_ms);
}

static bool gate_is_override(uint64_t gate, const struct override *override)
{
    return gate_state(gate) == override->state && gate_attempt(gate) == 0 &&
           (gate & GATE_PAYLOAD_MASK) == (override->until_ms & GATE_PAYLOAD_MASK);
}

/* The events go no further than the gate. */
static bool is_behind_events(uint64_t gate, uint64_t noted)
{
    return (noted & NOTED_VALID) && (int16_t)(gate_epoch(gate) - noted_epoch(noted)) < 0;
}

/* Every half-open word is one that a caller can go on from, and its lease ends it. */
static bool gate_possible(uint64_t gate, const struct known *known)
{
    if (is_behind_events(gate, known->noted))
        return false;
    if (override_in_force(known) || gate_state(gate) >= STATE_FORCED_OPEN)
        return gate_is_override(gate, &known->block.override);
    if (gate_state(gate) == STATE_CLOSED)
        return gate == gate_closed(gate_epoch(gate));
    return gate_state(gate) == STATE_HALF_OPEN || (gate & GATE_PAYLOAD_MASK) <= known->open_until;
}

static uint64_t gate_right(uint64_t found, const struct known *known)
{
    struct gate_input input = {.event = GATE_RESET};
    if (known->noted & NOTED_VALID)
        found = gate_closed(noted_epoch(known->noted));
    if (override_in_force(known))
        input = (struct gate_input){.event = GATE_OVERRIDE,
                                    .to = (enum breaker_state)known->block.override.state,
                                    .until_ms = known->block.override.until_ms};
    return gate_step(found, input, &known->block.policy, known->now_ms).next;
}

bool check_gate_repair(const struct segment *segment, uint32_t number, struct gate_damage damage)
{
    struct slot *slot = segment_slot(segment, number);
    struct gate_step step = {.next = damage.right, .cause = CAUSE_DAMAGED};
    uint64_t counted = atomic_load_explicit(&slot->transitions, memory_order_relaxed);
    if (!transition_swap(segment, number, &damage.found, step, NULL, (struct actor){0}))
        return false;
    /* That counted all epochs up to what the damage made of it; it was one transition. */
    uint64_t count = (counted >> COUNT_SHIFT) + 1, now = atomic_load_explicit(&slot->transitions, memory_order_relaxed);
    atomic_compare_exchange_strong(&slot->transitions, &now, count << COUNT_SHIFT | gate_epoch(damage.right));
    return true;
}

static bool streak_repair(struct slot *slot)
{
    uint64_t streak = atomic_load_explicit(&slot->streak, memory_order_relaxed);
    uint64_t carried = atomic_load_explicit(&slot->transitions, memory_order_relaxed);
    bool bad = (streak & STREAK_MASK) > STREAK_MOST, wild = carried >> COUNT_SHIFT > STREAK_MOST;
    if (bad)
        atomic_compare_exchange_strong(&slot->streak, &streak, streak & ~STREAK_MASK);
    if (wild)
        atomic_compare_exchange_strong(&slot->transitions, &carried, carried & 0xffff);
    return bad || wild;
}

/* The latest deadline that is right. The first time that may be one by a policy that is not known any more. */
static uint64_t open_until_now(uint64_t known, uint64_t gate, const struct policy *policy, uint64_t now_ms)
{
    uint64_t allowed = now_ms + policy->max_open_timeout_ms + SLACK_MS, deadline = gate & GATE_PAYLOAD_MASK;
    if (known == 0 && gate_state(gate) == STATE_OPEN && !gate_is_due(deadline, now_ms))
        known = deadline;
    return allowed > known ? allowed : known;
}

unsigned check_slot(const struct segment *segment, uint32_t number, uint64_t *open_until, struct gate_damage *damage)
{
    struct slot *slot = segment_slot(segment, number);
    struct known known = {.noted = events_noted(segment, number)};
    if (!(panel_commit(segment, number) & TRAIT_USED) || !panel_read(segment, number, &known.block, NULL))
        return 0;
    /* First the gate, then the clock: an override that a caller found ended has ended for us too. */
    uint64_t gate = atomic_load_explicit(&slot->gate, memory_order_acquire);
    known.now_ms = segment_now_ms(segment);
    known.open_until = *open_until = open_until_now(*open_until, gate, &known.block.policy, known.now_ms);
    unsigned mask = streak_repair(slot) ? DAMAGE_STREAK : 0;
    if (gate_possible(gate, &known))
        return mask;
    *damage = (struct gate_damage){gate, gate_right(gate, &known)};
    return mask | DAMAGE_STATE;
}
