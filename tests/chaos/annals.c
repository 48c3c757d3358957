#include "annals.h"

#include <stdio.h>
#include <string.h>

#include "core/events.h"
#include "core/gate.h"
#include "core/panel.h"

static int part_of(const struct event *event)
{
    for (int part = 0; part < CAST_LASTING; part++)
        if (strncmp(cast[part].name, event->name, sizeof event->name) == 0)
            return part;
    return -1;
}

static void follow(struct annals *annals, const struct event *event, unsigned part)
{
    uint16_t epoch = annals->last[part].epoch;
    uint8_t state = annals->last[part].state;
    if (annals->last[part].known && event->epoch != (uint16_t)(epoch + 1))
        report_violation(annals->report, "event %llu of %s is of epoch %u, the one before it of %u",
                         (unsigned long long)event->sequence, cast[part].name, event->epoch, epoch);
    if (annals->last[part].known && event->from != STATE_UNKNOWN && event->from != state)
        report_violation(annals->report, "event %llu of %s begins %s, the one before it ended %s",
                         (unsigned long long)event->sequence, cast[part].name, state_name(event->from),
                         state_name(state));
    annals->last[part].known = true;
    annals->last[part].epoch = event->epoch;
    annals->last[part].state = event->to;
    annals->report->events++;
    annals->report->filled += event->filled != 0;
}

void annals_read(struct annals *annals)
{
    struct event event;
    if (annals->next < events_first(annals->segment)) /* overwritten before this process got the processor */
        memset(annals->last, 0, sizeof annals->last);
    if (annals->next < events_first(annals->segment))
        annals->next = events_first(annals->segment);
    for (; events_read(annals->segment, annals->next, &event); annals->next++) {
        int part = event_is_transition(&event) ? part_of(&event) : -1;
        if (part >= 0)
            follow(annals, &event, (unsigned)part);
    }
}

static bool is_behind(const struct annals *annals, unsigned part, char what[160])
{
    int64_t slot = panel_find(annals->segment, cast[part].name);
    uint64_t gate = slot < 0 ? 0 : atomic_load(&segment_slot(annals->segment, (uint32_t)slot)->gate);
    if (!annals->last[part].known ||
        (gate_epoch(gate) == annals->last[part].epoch && gate_state(gate) == annals->last[part].state))
        return false;
    snprintf(what, 160, "%s is %s in epoch %u, but its events end %s in epoch %u", cast[part].name,
             state_name(gate_state(gate)), gate_epoch(gate), state_name(annals->last[part].state),
             annals->last[part].epoch);
    return true;
}

bool annals_are_behind(struct annals *annals, char what[160])
{
    bool behind = false;
    annals_read(annals);
    for (unsigned part = 0; part < CAST_LASTING && !behind; part++)
        behind = is_behind(annals, part, what);
    return behind;
}
