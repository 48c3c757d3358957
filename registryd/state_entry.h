/* A breaker as a state file keeps it, and its line's text:
 *
 *   breaker NAME creator=UID [state=STATE [until=TIME] [attempt=N] [uid=UID] [pid=PID]] [POLICY] [reason=REASON]
 *
 * Times are wall-clock times. POLICY is a policy's canonical text; a reason goes on to the end. */
#ifndef REGISTRYD_STATE_ENTRY_H
#define REGISTRYD_STATE_ENTRY_H

#include <stdbool.h>

#include "core/layout.h"
#include "core/words.h"

#define STATE_ENTRY_SIZE 960 /* enough for every text, terminator included */
#define STATE_FAULT_SIZE 320

struct state_entry {
    char name[NAME_SIZE];
    uint32_t creator_uid;
    enum breaker_state state; /* closed, open or an override; half-open is an open one that is due */
    uint64_t until_ms;        /* open, override: its end; 0: none */
    uint32_t attempt;         /* open: how often it has re-opened */
    uint32_t uid, pid;        /* override: who imposed it */
    char reason[REASON_SIZE]; /* override; "": none */
    struct policy policy;
};

void state_entry_format(const struct state_entry *, char out[STATE_ENTRY_SIZE]);

/* False: it is no such text; `fault` says why. */
bool state_entry_parse(const char *text, struct state_entry *, char fault[STATE_FAULT_SIZE]);

#endif
