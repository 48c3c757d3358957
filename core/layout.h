/*
 * What lies where in a registry's two shared-memory objects, who writes it, and under what.
 *
 *   /registryd.NAME.panel                        written by its keeper alone (the daemon); workers map it read-only
 *   +------------------+ 0
 *   | panel header     | sizes, offsets, identity; written once, before publication (but for `retired`,
 *   |                  |   the length of a tick, and what belongs to the keeper and to the mutex)
 *   +------------------+ index_offset
 *   | name index       | u32[index_length]: slot + 1, 0 empty, INDEX_TOMB; open addressing by name hash;
 *   |                  |   written under header.mutex, read without a lock (a hit is checked against the block)
 *   +------------------+ control_offset
 *   | control blocks   | capacity x struct control: two copies and a commit word; written under control.mutex, after
 *   |                  |   header.mutex where both are held; read without a lock
 *   +------------------+ event_offset
 *   | events           | struct event x event_length, a ring: what happened, in order and whole (core/events.h);
 *   |                  |   written under header.mutex, read without a lock
 *   +------------------+
 *
 *   /registryd.NAME.live                         written by everybody who is attached; nothing in it is trusted
 *   +------------------+ 0
 *   | live header      | the panel's identity again; the journal's head
 *   +------------------+ worker_offset
 *   | workers          | struct worker x worker_count: who is attached; claimed by compare-and-swap
 *   +------------------+ owner_offset
 *   | chunk owners     | u32 x chunk_count: worker number + 1; claimed by compare-and-swap
 *   +------------------+ chunk_offset
 *   | chunks           | struct chunk x chunk_count: calls in flight, CHUNK_CALLS each; a worker's chunks are its lane
 *   +------------------+ place_offset
 *   | bulkhead places  | u64 x place_count: which call holds a place under max_concurrent (extents, see the panel)
 *   +------------------+ journal_offset
 *   | journal          | struct record x journal_length, a ring: raw notes that the daemon makes events of
 *   +------------------+ slot_offset
 *   | slots            | slot_stride x capacity: struct slot, then struct stripe x stripes
 *   +------------------+
 *
 * Both objects have the lengths that the panel header says, which the joiner checks against fstat once; after that
 * every index into `live` comes from the panel or is checked against it.
 */
#ifndef CORE_LAYOUT_H
#define CORE_LAYOUT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/policy.h"

#define LAYOUT_MAGIC   UINT64_C(0x3147455242435242) /* reads otherwise with the other byte order */
#define LAYOUT_VERSION 1
#define CACHE_LINE     64

#define NAME_SIZE          64 /* a breaker's name, with its terminator */
#define REASON_SIZE        128
#define PATH_SIZE          108
#define EVENT_COMMAND_SIZE 32

#define CAPACITY_MAX 65536 /* breakers: a slot has 16 bits in a call's word */

typedef _Atomic uint64_t au64;
typedef _Atomic uint32_t au32;

/* ---- panel ---- */

/* A transition or control action. In the ring `sequence` is stored last; a reader takes the event if it is the same
 * before and after. */
struct event {
    uint64_t sequence;               /* its number in the registry, from 1; 0: it has none yet */
    uint64_t time_ms;                /* CLOCK_MONOTONIC */
    uint64_t wall_ms;                /* CLOCK_REALTIME, as it was set when the event was written down */
    uint64_t value, of, threshold;   /* the numbers behind it; what they are goes by the cause (core/sentence.c) */
    uint64_t until_ms;               /* open, override: the deadline in CLOCK_MONOTONIC; 0: none */
    uint64_t order;                  /* the number of the order that it carried out; 0: none */
    uint32_t slot, pid, uid;         /* uid: who ordered it; EVENT_NOBODY: nobody did */
    uint16_t incarnation, epoch;     /* the breaker's, behind the change */
    uint8_t from, to, cause, filled; /* STATE_UNKNOWN where nobody knows; filled: its own record was never written */
    uint8_t reserved[4];
    char command[EVENT_COMMAND_SIZE]; /* the name of the process `pid`; "" if nobody knows */
    char name[NAME_SIZE];
    char reason[REASON_SIZE]; /* what the operator wrote; of a creation and a change of policy: the policy */
};
#define EVENT_NOBODY UINT32_MAX

/* A control action under way: written before it is done, so that whoever comes after a crash knows what was done, by
 * whom and why. */
struct order {
    au64 number;        /* 0: none; stored last */
    uint64_t count;     /* of orders so far */
    uint64_t gate;      /* the word that it swaps in; 0: it changes the control block */
    uint64_t commit;    /* the block's commit word before it */
    struct event event; /* what there will be to say */
};

struct panel_header {
    uint64_t magic;
    uint32_t version;
    uint32_t layout_hash;                   /* sizes, offsets, word size, libc */
    uint64_t identity;                      /* random: the two objects belong together */
    uint64_t created_ms;                    /* CLOCK_MONOTONIC */
    uint64_t pid_namespace, time_namespace; /* inodes */
    uint32_t clock_id;
    uint32_t capacity, stripes, worker_count, chunk_count, place_count, journal_length, index_length, event_length;
    uint32_t reserved;
    uint64_t index_offset, control_offset, event_offset, panel_size;
    uint64_t worker_offset, owner_offset, chunk_offset, place_offset, journal_offset, slot_offset, slot_stride;
    uint64_t live_size;
    char socket[PATH_SIZE]; /* where the daemon listens */
    au32 retired;           /* 1: replaced; users move over */
    uint32_t next_slot;     /* hint: where the search for a free slot begins; under the mutex */
    uint32_t place_top;     /* no extent reaches beyond this place; under the mutex */
    au32 keeper_is;         /* the process that holds `keeper`, and whether it is a daemon (core/keeper.c) */
    au64 tick;              /* how long a tick of the processor's counter is; 0: nobody knows (core/ticks.h) */
    pthread_mutex_t keeper; /* robust, process-shared: who may write the panel at all; before all others */
    au32 damage_count;      /* how often damage to `live` was found and repaired */
    au32 event_heard;       /* the newest event that a daemon has told its listeners of, as far as 32 bits go */
    au64 event_last;        /* the newest event's number; 0: there is none. Under the mutex */
    struct order order;     /* the control action under way; written by the one who may write the panel */
    pthread_mutex_t mutex;  /* robust, process-shared: index, free slots, place extents, events */
};

#define INDEX_TOMB UINT32_MAX

/* What is imposed on a breaker. */
struct override {
    uint32_t state; /* STATE_FORCED_OPEN ...; STATE_CLOSED: none */
    uint32_t uid, pid;
    uint32_t reserved;
    uint64_t until_ms; /* CLOCK_MONOTONIC; 0: no end */
    char reason[REASON_SIZE];
};

/* One committed state of a control block. */
struct control_copy {
    uint32_t used;        /* 1: a breaker; 0: free */
    uint32_t incarnation; /* grows with every breaker that gets this slot */
    char name[NAME_SIZE];
    struct policy policy;               /* from here to creator_uid: struct policy_view, copied as one */
    uint32_t place_first, place_length; /* its extent of bulkhead places */
    uint32_t past_first, past_length;   /* the one before it grew: no new holders, but those that are left count */
    uint32_t window_id;                 /* grows when the window's kind or size changes */
    uint32_t creator_uid;
    struct override override;
    uint64_t created_ms; /* CLOCK_REALTIME: for metrics, so that a counter that begins anew is known for one */
};

struct control {
    /* bit 0: which copy is committed; bits 1..15: traits; bits 16..31: incarnation; bits 32..63: version, grows with
     * every commit. One release store of it commits everything. */
    au64 commit;
    au64 noted;            /* the newest transition among the events, see core/events.h; 0: none. header.mutex */
    au64 told;             /* successes that somebody was told of, see tally_tell(); the daemon */
    pthread_mutex_t mutex; /* robust, process-shared: every writer of this block */
    _Alignas(CACHE_LINE) struct control_copy copy[2];
};

/* The traits: what the call path must know of the policy before it reads it. */
#define TRAIT_USED          (1u << 1)
#define TRAIT_TIMED_COARSE  (1u << 2) /* timing=coarse */
#define TRAIT_TIMED_PRECISE (1u << 3) /* timing=precise */
#define TRAITS_TIMED        (TRAIT_TIMED_COARSE | TRAIT_TIMED_PRECISE)
#define TRAIT_CALL_TIMEOUT  (1u << 4)
#define TRAIT_LIMITED       (1u << 5) /* max_concurrent */
#define TRAIT_WINDOW_COUNT  (1u << 6)
#define TRAIT_WINDOW_TIME   (1u << 7)
#define TRAIT_SLOW          (1u << 8) /* slow calls are told apart */

/* ---- live ---- */

struct live_header {
    uint64_t magic;
    uint64_t identity;
    _Alignas(CACHE_LINE) au64 journal_head; /* the next record's sequence number */
};

/* A worker is a process: pid in the low 22 bits, its start time (clock ticks since boot) above. The kernel never gives
 * both out twice. Bit 63: it has a guard (core/guard.h). 0: free. */
struct worker {
    au64 process;
    au64 untracked; /* calls that found no room in its lane */
    uint64_t reserved[6];
};
#define WORKER_PID_BITS 22
#define WORKER_GUARDED  (UINT64_C(1) << 63)

/* A call in flight. `call`: bit 63 busy; bit 62 probe; bit 61 probe being taken or settled; bit 60 timed (the daemon may
 * settle it as overdue: settle by exchange); bit 59 holds a bulkhead place; bits 58..56 free; bits 55..32 sequence;
 * bits 31..16 epoch; bits 15..0 slot. Without bit 63 it is free and keeps its sequence. */
struct call {
    au64 call;
    au64 started_ms; /* CLOCK_MONOTONIC; meaningful with CALL_TIMED, CALL_PROBE or CALL_PLACED, unless CALL_PENDING */
};
#define CALL_BUSY           (UINT64_C(1) << 63)
#define CALL_PROBE          (UINT64_C(1) << 62)
#define CALL_PENDING        (UINT64_C(1) << 61)
#define CALL_TIMED          (UINT64_C(1) << 60)
#define CALL_PLACED         (UINT64_C(1) << 59)
#define CALL_SPECIAL        (CALL_PROBE | CALL_PENDING | CALL_TIMED | CALL_PLACED) /* holds more than its entry */
#define CALL_SEQUENCE_SHIFT 32
#define CALL_SEQUENCE_MASK  UINT64_C(0xffffff)

#define CHUNK_CALLS 8
struct chunk {
    struct call calls[CHUNK_CALLS];
};

/* A transition or control action. `sequence` is stored last: number + 1; a reader takes the record if it is the same
 * before and after. */
struct record {
    au64 sequence;
    au64 time_ms;
    au64 what;                 /* slot 16 | epoch 16 | from 8 | to 8 | cause 8 | incarnation 8, from the top */
    au64 who;                  /* uid 32 | pid 32, from the top; 0: the daemon by itself */
    au64 value, of, threshold; /* the numbers behind it, as an event's */
    au64 until_ms;
};

#define WINDOW_PERIODS  10
#define LATENCY_BUCKETS 56

/* Where a stripe's counts stood when a sub-window of a time window began, so that a call in the middle of one writes
 * nothing for the window. Each word has a tag in its upper half (epoch 16 | lap 16), the count in its lower. */
struct period {
    au64 successes, failures, slow;
};

/* What a CPU counts for one breaker. Written by whoever runs on that CPU; readers add the stripes up. */
struct stripe {
    /* Of calls that belong to the closed (or metrics-only) epoch in which they end; the timed ones are in `latency`. */
    _Alignas(CACHE_LINE) au64 successes;
    au64 period_until;    /* epoch 16 | milliseconds 48: when the window's next period begins */
    au64 other_successes; /* probes', and of calls from earlier epochs */
    au64 timed_otherwise; /* calls in `latency` that are not among the first kind's successes */
    au64 window_failures, window_slow;
    _Alignas(CACHE_LINE) au64 failures;
    au64 slow, ignored, rejected_open, rejected_probes, rejected_concurrency;
    _Alignas(CACHE_LINE) au64 latency[LATENCY_BUCKETS];
    _Alignas(CACHE_LINE) struct period periods[WINDOW_PERIODS];
};

/* What all CPUs share of one breaker. The first line is only read while all is well. */
struct slot {
    _Alignas(CACHE_LINE) au64 gate;
    au64 streak; /* epoch 16 | consecutive failures 48 */
    au64
        transitions; /* count 48 | the epoch at which it was right 16: a killed worker's share is carried over by the next */
    _Alignas(CACHE_LINE) au64 abandoned;
    au64 overdue;
    _Alignas(CACHE_LINE) au64 ring_head;  /* the count window's next index */
    _Alignas(CACHE_LINE) au32 ring[1024]; /* epoch 16 | window id 13 | slow | failed | valid */
};

#define STREAK_MASK ((UINT64_C(1) << 48) - 1)

_Static_assert(sizeof(struct worker) == 64 && sizeof(struct record) == 64, "a cache line each");
_Static_assert(sizeof(struct chunk) == 128, "two cache lines: threads with chunks of their own share none");
_Static_assert(sizeof(struct stripe) % CACHE_LINE == 0 && sizeof(struct slot) % CACHE_LINE == 0, "lines");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "atomics need no lock");

#endif
