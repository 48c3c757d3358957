#include "deeds.h"

#include <unistd.h>

#include "core/clock.h"

#define TOOL_US 4000 /* at most, until a tool is killed */
#define STOP_MS 300  /* at most */

static uint64_t now_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

static uint64_t stop_until(struct stage *stage)
{
    return now_ms() + 1 + dice_roll(&stage->dice, STOP_MS);
}

static void worker_kill(struct stage *stage)
{
    crew_kill(&stage->crew, dice_roll(&stage->dice, WORKERS));
    stage->report->killed[VICTIM_WORKER]++;
    stage->report->struck = stage->crew.struck;
}

static void worker_stop(struct stage *stage)
{
    unsigned number = dice_roll(&stage->dice, WORKERS);
    if (stage->crew.member[number].continue_ms)
        return;
    crew_stop(&stage->crew, number, stop_until(stage));
    stage->report->stopped[VICTIM_WORKER]++;
}

static void daemon_kill(struct stage *stage)
{
    keeper_kill(&stage->keeper);
    stage->report->killed[VICTIM_DAEMON]++;
}

static void daemon_stop(struct stage *stage)
{
    if (stage->keeper.continue_ms)
        return;
    keeper_stop(&stage->keeper, stop_until(stage));
    stage->report->stopped[VICTIM_DAEMON]++;
}

/* They live for some milliseconds only. */
static void tool_kill(struct stage *stage)
{
    if (!desk_busy(&stage->desk)) {
        desk_send(&stage->desk);
        usleep(dice_roll(&stage->dice, TOOL_US));
    }
    stage->report->killed[VICTIM_TOOL] += desk_kill(&stage->desk);
}

static void tool_stop(struct stage *stage)
{
    stage->report->stopped[VICTIM_TOOL] += desk_stop(&stage->desk, stop_until(stage));
}

static void tool_send(struct stage *stage)
{
    desk_send(&stage->desk);
}

static const struct {
    unsigned percent;
    void (*run)(struct stage *);
} deeds[] = {
    {56, worker_kill}, {8, worker_stop}, {7, daemon_kill}, {3, daemon_stop},
    {18, tool_send},   {5, tool_kill},   {3, tool_stop},
};

void deeds_do_one(struct stage *stage)
{
    unsigned draw = dice_roll(&stage->dice, 100), i = 0;
    while (draw >= deeds[i].percent)
        draw -= deeds[i++].percent;
    deeds[i].run(stage);
}

void deeds_undo(struct stage *stage, uint64_t now)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (stage->crew.member[i].continue_ms && stage->crew.member[i].continue_ms <= now)
            crew_continue(&stage->crew, i);
    if (stage->keeper.continue_ms && stage->keeper.continue_ms <= now)
        keeper_continue(&stage->keeper);
    desk_continue(&stage->desk, now);
}
