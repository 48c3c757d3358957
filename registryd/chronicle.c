#include "registryd/chronicle.h"

#include "registryd/log.h"

void chronicle_subscribe(struct chronicle *chronicle, scribe_listener *listener, void *arg)
{
    if (chronicle->listener_count == CHRONICLE_LISTENERS)
        return; /* there are fewer parts of the daemon than that */
    chronicle->listeners[chronicle->listener_count].listener = listener;
    chronicle->listeners[chronicle->listener_count++].arg = arg;
}

static void tell_all(const struct event *event, void *arg)
{
    const struct chronicle *chronicle = arg;
    for (size_t i = 0; i < chronicle->listener_count; i++)
        chronicle->listeners[i].listener(event, chronicle->listeners[i].arg);
}

bool chronicle_open(struct chronicle *chronicle, struct segment *segment)
{
    events_repair(segment);
    chronicle->begun = events_last(segment) + 1;
    if (scribe_open(&chronicle->scribe, segment, tell_all, chronicle) == 0)
        return true;
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
