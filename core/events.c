#include "core/events.h"

#include <errno.h>

#include "core/control.h"
#include "core/copy.h"
#include "core/panel.h"
#include "core/words.h"

static const struct event *event_at(const struct segment *segment, uint64_t sequence)
{
    return &segment->events[sequence & (segment->event_length - 1)];
}

static uint64_t sequence_at(const struct segment *segment, uint64_t sequence)
{
    return __atomic_load_n(&event_at(segment, sequence)->sequence, __ATOMIC_ACQUIRE);
}

uint64_t events_noted(const struct segment *segment, uint32_t slot)
{
    return atomic_load_explicit(&segment->controls[slot].noted, memory_order_acquire);
}

bool event_is_transition(const struct event *event)
{
    return event->cause != CAUSE_POLICY && event->cause != CAUSE_REMOVED && event->cause != CAUSE_MISSED;
}

/* ---- reading ---- */

uint64_t events_last(const struct segment *segment)
{
    return atomic_load_explicit(&segment->panel->event_last, memory_order_acquire);
}

uint64_t events_first(const struct segment *segment)
{
    uint64_t last = events_last(segment);
    return last >= segment->event_length ? last - segment->event_length + 2 : 1; /* one place is for the next event */
}

bool events_read(const struct segment *segment, uint64_t sequence, struct event *out)
{
    if (sequence == 0 || sequence_at(segment, sequence) != sequence)
        return false;
    words_load(out, event_at(segment, sequence), sizeof *out);
    out->name[NAME_SIZE - 1] = out->reason[REASON_SIZE - 1] = out->command[EVENT_COMMAND_SIZE - 1] = '\0';
    return out->sequence == sequence && sequence_at(segment, sequence) == sequence;
}

/* ---- writing, under the header's mutex ---- */

static void note(struct segment *segment, const struct event *event)
{
    if (event_is_transition(event) && event->slot < segment->capacity)
        atomic_store_explicit(&control_of(segment, event->slot)->noted, event_noted(event), memory_order_release);
}

/* The number stands first in the event and is stored last: it commits the event. */
static void store(struct segment *segment, const struct event *event)
{
    struct event *place = (struct event *)event_at(segment, event->sequence);
    const size_t head = sizeof event->sequence;
    __atomic_store_n(&place->sequence, 0, __ATOMIC_RELAXED);
    words_store((char *)place + head, (const char *)event + head, sizeof *event - head);
    __atomic_store_n(&place->sequence, event->sequence, __ATOMIC_RELEASE);
    atomic_store_explicit(&segment->panel_rw->event_last, event->sequence, memory_order_release);
}

static int lock(struct segment *segment)
{
    int result = panel_lock(segment, &segment->panel_rw->mutex);
    return result == -EOWNERDEAD ? 0 : result;
}

static void unlock(struct segment *segment)
{
    pthread_mutex_unlock(&segment->panel_rw->mutex);
}

int events_append(struct segment *segment, struct event *event)
{
    int result = lock(segment);
    if (result != 0)
        return result;
    event->sequence = events_last(segment) + 1;
    store(segment, event);
    note(segment, event);
    unlock(segment);
    return 0;
}

int events_repair(struct segment *segment)
{
    struct event event;
    int result = lock(segment);
    if (result != 0)
        return result;
    uint64_t next = events_last(segment) + 1;
    if (sequence_at(segment, next) == next) /* committed, and killed before the header said so */
        atomic_store_explicit(&segment->panel_rw->event_last, next, memory_order_release);
    /* Only the newest can have been committed without being noted. */
    if (events_read(segment, events_last(segment), &event))
        note(segment, &event);
    unlock(segment);
    return 0;
}

_Static_assert(sizeof(struct event) % 8 == 0 && offsetof(struct event, sequence) == 0, "copied in words");
