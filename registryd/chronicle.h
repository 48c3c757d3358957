/* The chronicle: writes down what happens to the registry's breakers (core/scribe.h) and tells whoever wants to know:
 * the log, watching clients. */
#ifndef REGISTRYD_CHRONICLE_H
#define REGISTRYD_CHRONICLE_H

#include <stdbool.h>

#include "core/scribe.h"

#define CHRONICLE_LISTENERS 8

struct chronicle {
    struct scribe scribe;
    struct {
        scribe_listener *listener;
        void *arg;
    } listeners[CHRONICLE_LISTENERS];
    size_t listener_count;
    uint64_t
        begun; /* the first event that no daemon has told of: written by a killed one, by cbctl --offline, or by us */
};

/* Call `listener(event, arg)` for every event from now on, as soon as it is written down and in that order. It must not
 * act on breakers itself. May be asked for before chronicle_open(). */
void chronicle_subscribe(struct chronicle *, scribe_listener *listener, void *arg);

/* Begin, with what was left undone. False: no memory. */
bool chronicle_open(struct chronicle *, struct segment *);
void chronicle_close(struct chronicle *);

/* The events up to this one are no news to anybody. */
void chronicle_heard(struct segment *, uint64_t sequence);

/* Every turn of the daemon: write down what has happened. */
void chronicle_turn(struct chronicle *);
/* A process came, or died: its name is remembered for its events. */
void chronicle_meet(struct chronicle *, uint32_t pid);
void chronicle_forget(struct chronicle *, uint32_t pid);

#endif
