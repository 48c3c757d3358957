#include "registryd/chronicle.h"

#include "core/action.h"
#include "registryd/log.h"

void chronicle_subscribe(struct chronicle *chronicle, scribe_listener *listener, void *arg)
{
    if (chronicle->listener_count == CHRONICLE_LISTENERS)
        return; /* there are fewer parts of the daemon than that */
    chronicle->listeners[chronicle->listener_count].listener = listener;
    chronicle->listeners[chronicle->listener_count++].arg = arg;
}

void chronicle_heard(struct segment *segment, uint64_t sequence)
{
    atomic_store_explicit(&segment->panel_rw->event_heard, (uint32_t)sequence, memory_order_relaxed);
}

static void tell_all(const struct event *event, void *arg)
{
    const struct chronicle *chronicle = arg;
    for (size_t i = 0; i < chronicle->listener_count; i++)
        chronicle->listeners[i].listener(event, chronicle->listeners[i].arg);
    chronicle_heard(chronicle->scribe.segment, event->sequence);
}

/* Sooner than the ring reaches: all that there is. */
static uint64_t first_unheard(const struct segment *segment)
{
    uint64_t last = events_last(segment), first = events_first(segment);
    uint32_t heard = atomic_load_explicit(&segment->panel->event_heard, memory_order_relaxed);
    uint64_t next = last + 1 - (uint32_t)((uint32_t)last - heard);
    return next > last + 1 || next < first ? first : next;
}

bool chronicle_open(struct chronicle *chronicle, struct segment *segment)
{
    events_repair(segment);
    chronicle->begun = first_unheard(segment);
    if (scribe_open(&chronicle->scribe, segment, tell_all, chronicle) == 0) {
        action_resume(&chronicle->scribe);
        return true;
    }
    log_say(LOG_ERR, "no memory to follow %u breakers", segment->capacity);
    return false;
}

void chronicle_close(struct chronicle *chronicle)
{
    scribe_close(&chronicle->scribe);
}

void chronicle_turn(struct chronicle *chronicle)
{
    scribe_turn(&chronicle->scribe);
}

void chronicle_meet(struct chronicle *chronicle, uint32_t pid)
{
    scribe_meet(&chronicle->scribe, pid);
}

void chronicle_forget(struct chronicle *chronicle, uint32_t pid)
{
    scribe_forget(&chronicle->scribe, pid);
}
