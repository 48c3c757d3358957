/*
 * The scribe: keeps a registry's events. Whoever may write the panel has one, one at a time: the daemon, or
 * `cbctl --offline` while no daemon runs. What is done to breakers goes through core/action.h, which writes an order
 * before it does it and the event behind it. So a scribe that is killed at any moment leaves its successor with all it
 * needs: no event is lost and none comes twice.
 */
#ifndef CORE_SCRIBE_H
#define CORE_SCRIBE_H

#include "core/call.h"
#include "core/gather.h"

#define SCRIBE_COMMANDS 1024 /* power of two */

/* Called with each event as soon as it is written down. */
typedef void scribe_listener(const struct event *, void *arg);

struct scribe {
    struct segment *segment;
    struct gather gather;
    scribe_listener *listener; /* NULL: nobody listens */
    void *arg;
    struct {
        uint32_t pid;
        char command[EVENT_COMMAND_SIZE];
    } met[SCRIBE_COMMANDS]; /* by pid, its low bits: processes that may be gone when their events are written */
};

/* Begin: what a killed predecessor was at is brought to its end. `segment` is writable and stays. 0 or -ENOMEM. */
int scribe_open(struct scribe *, struct segment *, scribe_listener *, void *arg);
void scribe_close(struct scribe *);

/* Write down what has happened since, at most as much as the journal holds: whoever changes breakers faster than that
 * keeps nobody from going on. Costs a few loads when nothing has. */
void scribe_turn(struct scribe *);

/* Remember a process's name for its events: it may be gone when they are written down. */
void scribe_meet(struct scribe *, uint32_t pid);
/* It is dead: its number may become another's. */
void scribe_forget(struct scribe *, uint32_t pid);

/* ---- for core/action.c: an order is begun, done in the memory, and said ---- */

/* What there will be to say about `cause`. `slot` UINT32_MAX: not known yet. */
struct event scribe_prepare(const struct scribe *, uint32_t slot, enum cause, struct actor, const char *reason);
/* Write the order down. `gate`: the word that it will swap in, `event` has its epoch; 0: it changes the block. */
void scribe_order(struct scribe *, struct event *, uint64_t gate);
/* Its gate may have been written over since it was looked at last: what is done to it now goes on from there. */
void scribe_follow(struct scribe *, uint32_t slot);
/* It was done: write its event down, behind all that was before it. `event` is as ordered, with its slot. */
void scribe_done(struct scribe *, struct event *);
/* It was not done. */
void scribe_cancel(struct scribe *);

#endif
