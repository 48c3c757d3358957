/* The operator's desk: cbctl processes, and what must be true of each breaker after them. */
#ifndef CHAOS_DESK_H
#define CHAOS_DESK_H

#include <cbclient.h>

#include "cast.h"
#include "dice.h"
#include "keeper.h"
#include "report.h"

#define ERRANDS 3 /* at once, and one at most that changes the same breaker */

enum act { /* in the order of the table in desk.c */
           ACT_TRIP,
           ACT_RESET,
           ACT_AUTO,
           ACT_SET,
           ACT_FORCE_OPEN,
           ACT_METRICS_ONLY,
           ACT_DISABLE,
           ACT_CREATE,
           ACT_REMOVE,
           ACT_SHOW,
           ACT_LIST,
           ACT_WORKERS,
           ACT_HISTORY,
           ACTS
};

struct errand {
    pid_t pid; /* 0: none */
    enum act act;
    unsigned part, policy;
    uint64_t for_ms, started_ms;
    uint64_t continue_ms; /* stopped until then; 0: it runs */
    int said;             /* what it says on stderr */
};

/* What an operator was told of a breaker. */
struct belief {
    unsigned policy;
    enum cb_state imposed;      /* CB_CLOSED: nothing */
    uint64_t least_ms, most_ms; /* it ends between them; 0: when somebody ends it */
    bool changing;              /* an errand is on its way */
    bool doubtful;              /* one was killed, or not answered: what it wanted may be or not */
};

struct desk {
    const char *program;
    struct keeper *keeper;
    struct report *report;
    struct dice *dice;
    struct errand errand[ERRANDS];
    struct belief belief[CAST_SIZE];
};

/* Start one more, if there is room for it. */
void desk_send(struct desk *);
/* Take note of those that have ended, and complain of those that should have. */
void desk_receive(struct desk *);
/* A random one, if there is any; false: none. */
bool desk_kill(struct desk *);
bool desk_stop(struct desk *, uint64_t until_ms);
void desk_continue(struct desk *, uint64_t now_ms); /* those that are due; UINT64_MAX: all */
bool desk_busy(const struct desk *);
void desk_end(struct desk *);

#endif
