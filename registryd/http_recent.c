#include "registryd/http_recent.h"

#include <stdlib.h>

#include "core/call.h"
#include "core/panel.h"

#define SLICE 256 /* slots sampled in one turn of the loop; each has a stripe a CPU */

struct http_history {
    uint64_t calls, failures, rejected; /* when last sampled */
    uint16_t incarnation;
    bool known;     /* sampled before */
    uint8_t filled; /* periods */
    uint8_t at;     /* where the next one goes */
    struct http_period periods[HTTP_RECENT_PERIODS];
};

/* Counts may shrink when a worker scribbles on them. */
static uint32_t grown(uint64_t now, uint64_t before)
{
    return now < before ? 0 : now - before > UINT32_MAX ? UINT32_MAX : (uint32_t)(now - before);
}

static void history_add(struct http_history *history, struct http_period period)
{
    history->periods[history->at] = period;
    history->at = (uint8_t)((history->at + 1) % HTTP_RECENT_PERIODS);
    history->filled = (uint8_t)(history->filled + (history->filled < HTTP_RECENT_PERIODS));
}

static void slot_sample(struct http_recent *recent, uint32_t slot)
{
    struct http_history *history = &recent->histories[slot];
    uint64_t commit = panel_commit(recent->segment, slot);
    struct tally tally;
    if (!(commit & TRAIT_USED))
        return;
    tally_slot(recent->segment, slot, &tally);
    uint64_t failures = tally.failures + tally.abandoned + tally.overdue;
    uint64_t calls = tally.successes + tally.ignored + failures;
    uint64_t rejected = tally.rejected_open + tally.rejected_probes + tally.rejected_concurrency;
    if (!history->known || history->incarnation != commit_incarnation(commit))
        *history = (struct http_history){.known = true, .incarnation = commit_incarnation(commit)};
    else
        history_add(history, (struct http_period){grown(calls, history->calls), grown(failures, history->failures),
                                                  grown(rejected, history->rejected)});
    history->calls = calls;
    history->failures = failures;
    history->rejected = rejected;
}

static void on_sample(uv_timer_t *timer)
{
    struct http_recent *recent = timer->data;
    for (uint32_t i = 0; i < SLICE && recent->next < recent->segment->capacity; i++)
        slot_sample(recent, recent->next++);
    if (recent->next == recent->segment->capacity)
        recent->next = 0;
}

bool http_recent_start(struct http_recent *recent, uv_loop_t *loop, const struct segment *segment)
{
    *recent = (struct http_recent){.segment = segment};
    recent->histories = calloc(segment->capacity, sizeof *recent->histories);
    if (recent->histories == NULL)
        return false;
    uint32_t slices = (segment->capacity + SLICE - 1) / SLICE;
    uv_timer_init(loop, &recent->timer);
    recent->timer.data = recent;
    uv_timer_start(&recent->timer, on_sample, 0, HTTP_RECENT_PERIOD_MS / slices);
    recent->started = true;
    return true;
}

void http_recent_stop(struct http_recent *recent)
{
    if (recent->started)
        uv_close((uv_handle_t *)&recent->timer, NULL);
    recent->started = false;
    free(recent->histories);
    recent->histories = NULL;
}

unsigned http_recent_of(const struct http_recent *recent, uint32_t slot, uint16_t incarnation,
                        struct http_period out[HTTP_RECENT_PERIODS])
{
    const struct http_history *history = &recent->histories[slot];
    if (!history->known || history->incarnation != incarnation)
        return 0;
    for (unsigned i = 0; i < history->filled; i++)
        out[i] = history->periods[(history->at + HTTP_RECENT_PERIODS - history->filled + i) % HTTP_RECENT_PERIODS];
    return history->filled;
}
