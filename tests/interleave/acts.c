#include "tests/interleave/acts.h"

#include "core/panel.h"
#include "tests/interleave/world.h"

void caller_asks(void *arg)
{
    struct caller *caller = arg;
    uint64_t commit = panel_commit(&world_memory, WORLD_SLOT);
    struct lane *lane = world_lanes[caller - world.callers];
    bool admitted = call_acquire(&world_memory, lane, WORLD_SLOT, commit, &caller->held) == ANSWER_ADMITTED;
    caller->phase = admitted ? IN_CALL : DONE;
}

void caller_settles(void *arg)
{
    struct caller *caller = arg;
    call_settle(&world_memory, world_lanes[caller - world.callers], &caller->held, caller->outcome, TOOK_MEASURED);
    caller->phase = DONE;
    world.least++;
    world.most++;
}

void daemon_reaps(void *arg)
{
    struct caller *caller = arg;
    worker_reap(&world_memory, lane_worker(world_lanes[caller - world.callers]) - 1);
    if (caller->died == IN_CALL)
        world.least++;
    caller->phase = BURIED;
}

void daemon_ticks(void *arg)
{
    (void)arg;
    call_tick(&world_memory);
}

void daemon_lapses(void *arg)
{
    (void)arg;
    call_lapse(&world_memory);
}

void operator_trips(void *arg)
{
    (void)arg;
    call_operate(&world_memory, WORLD_SLOT, (struct gate_input){.event = GATE_OPERATOR_TRIP}, (struct actor){0});
}

void operator_resets(void *arg)
{
    (void)arg;
    call_operate(&world_memory, WORLD_SLOT, (struct gate_input){.event = GATE_RESET}, (struct actor){0});
}
