#include "tests/interleave/rules.h"

#define ROUNDS_MAX 8
#define LONG_MS    3600000u

static struct tally first;

static uint64_t outcomes(const struct tally *t)
{
    return t->successes + t->failures + t->ignored + t->abandoned + t->overdue;
}

void rules_begin(void)
{
    tally_slot(&world_memory, WORLD_SLOT, &first);
}

/* Probes of living callers, admitted and not on their way back. */
static unsigned probes_held(void)
{
    unsigned held = 0;
    for (int i = 0; i < CALLERS_MAX; i++)
        held += world.callers[i].phase == IN_CALL && (world.callers[i].held.call & CALL_PROBE) &&
                world.callers[i].age == world.age;
    return held;
}

static struct gate_step step(uint64_t gate, enum gate_event event, uint64_t now_ms)
{
    return gate_step(gate, (struct gate_input){.event = event, .epoch = gate_epoch(gate)}, &world_policy, now_ms);
}

/* All others stopped for ever: one who comes alone, waits as long as it takes, and succeeds. */
static const char *recovers(void)
{
    uint64_t gate = world_gate(), now = world.now_ms;
    bool let_in = false;
    for (int i = 0; i < ROUNDS_MAX && gate_state(gate) != STATE_CLOSED; i++, now += LONG_MS) {
        struct gate_step got = step(gate, GATE_ACQUIRE, now);
        let_in = let_in || got.answer == ANSWER_ADMITTED;
        gate = got.probe ? step(got.next, GATE_SUCCESS, now).next : got.next;
    }
    if (gate_state(gate) == STATE_CLOSED)
        return NULL;
    return let_in ? "stuck: successes do not close it" : "stuck: nobody is admitted";
}

const char *rules_state(void)
{
    unsigned most = world_policy.half_open_max_calls;
    if (gate_state(world_gate()) == STATE_HALF_OPEN && (gate_probes(world_gate()) > most || probes_held() > most))
        return "too many probes";
    return recovers();
}

const char *rules_move(uint64_t gate_before, uint64_t age_before, const struct caller *settled)
{
    uint16_t epochs = (uint16_t)(gate_epoch(world_gate()) - gate_epoch(gate_before));
    if (epochs > 1)
        return "the epoch goes back or jumps";
    if (gate_state(gate_before) != gate_state(world_gate()) && epochs == 0)
        return "another state in the same epoch";
    if (settled && gate_before != world_gate() && settled->age != age_before)
        return "an outcome in a later epoch";
    return NULL;
}

static const char *nothing_left(void)
{
    for (uint32_t i = 0; i < world_memory.chunk_count * CHUNK_CALLS; i++)
        if (lane_call(&world_memory, i)->call & CALL_BUSY)
            return "a call is left in a lane";
    for (uint32_t i = 0; i < world_memory.place_count; i++)
        if (world_memory.places[i] != 0)
            return "a place is left taken";
    if (gate_state(world_gate()) == STATE_HALF_OPEN && gate_probes(world_gate()) > 0)
        return "a probe is left that nobody holds";
    return NULL;
}

/* With one epoch and no success, all failures are consecutive. Those of the dead may be on their way. */
static bool streak_is_whole(const struct tally *t)
{
    for (int i = 0; i < CALLERS_MAX; i++)
        if (world.callers[i].phase == BURIED)
            return true;
    return world.age != 0 || t->successes != first.successes || t->streak == t->failures + t->overdue;
}

const char *rules_end(void)
{
    struct tally now;
    tally_slot(&world_memory, WORLD_SLOT, &now);
    int64_t settled = (int64_t)(outcomes(&now) - outcomes(&first));
    if (settled < world.least)
        return "an outcome is lost";
    if (settled > world.most)
        return "a call is settled twice";
    if (now.transitions - first.transitions != world.age)
        return "transitions are miscounted";
    if (!streak_is_whole(&now))
        return "a failure is not in the streak";
    return nothing_left();
}
