/*
 * What every worker did, by its own account: memory that the workers share with the oracle and with nobody else. A worker
 * writes down what it is about to ask of the library, asks, and writes down what came of it; so the oracle knows every
 * outcome, and of a worker that was killed, which one call it cannot know.
 */
#ifndef CHAOS_LEDGER_H
#define CHAOS_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cast.h"

typedef _Atomic uint32_t au32;
typedef _Atomic uint64_t au64;

#define WORKERS  8
#define ACCOUNTS (WORKERS + 1) /* the last is the oracle's own */
#define HELD_MAX 4             /* permits that a worker has at once */

/* What came of a call. */
enum entry {
    ENTRY_SUCCESS,
    ENTRY_FAILURE,
    ENTRY_IGNORED,
    ENTRY_FORGOTTEN, /* given up as abandoned by the worker itself */
    ENTRY_LATE,      /* the daemon had counted it as overdue */
    ENTRY_OPEN,      /* rejected, by kind */
    ENTRY_PROBES,
    ENTRY_CONCURRENCY,
    ENTRIES
};
#define ENTRY_SETTLED (ENTRY_LATE + 1)

/* The library call under way: none, cb_acquire() of a part, or settling a call of it as an entry. */
enum deed_kind { DEED_NONE, DEED_ACQUIRE, DEED_SETTLE };
struct deed {
    enum deed_kind kind;
    enum entry entry;
    unsigned part;
};

struct account {
    au32 deed;           /* packed */
    au32 held[HELD_MAX]; /* part + 1 of the permits that it holds; 0: none */
    au32 resting;        /* the pause that it has come to rest for */
    au32 stops;          /* how often it was stopped; written by who stops it, beforehand */
    au64 longest_ns;     /* the longest that a library call took, its own stops aside */
    au32 complained;     /* `complaint` is written */
    char complaint[192];
    au64 count[CAST_SIZE][ENTRIES];
};

struct ledger {
    au32 pause;                        /* not 0: settle what you hold and rest */
    au32 weather;                      /* bit by part: most of its calls fail now */
    au32 deaths, buried;               /* workers about to be killed so far; of these, struck off `inside` */
    _Atomic int32_t inside[CAST_SIZE]; /* calls inside; never more than there are, unless a death is not buried yet */
    struct account account[ACCOUNTS];
};

/* One, all zero, shared with children; NULL: no memory. */
struct ledger *ledger_create(void);
void ledger_destroy(struct ledger *);

void account_begin(struct account *, struct deed);
void account_end(struct account *);
struct deed account_deed(const struct account *);
void account_count(struct account *, unsigned part, enum entry);
/* The first complaint is kept. */
__attribute__((format(printf, 2, 3))) void account_complain(struct account *, const char *format, ...);

/* A permit that came and one that goes: after cb_acquire() and before settling, so that `inside` is never too large. */
void ledger_enter(struct ledger *, struct account *, unsigned at, unsigned part);
void ledger_leave(struct ledger *, struct account *, unsigned at);
/* How many deaths there were; false: one of them is not buried, and nothing can be said about `inside`. */
bool ledger_settled(const struct ledger *, uint32_t *deaths);
/* Around the kill of a hand. */
void ledger_kill(struct ledger *);
void ledger_bury(struct ledger *, struct account *);

#endif
