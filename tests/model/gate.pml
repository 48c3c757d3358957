/*
 * The gate with leases and lanes, for Spin: what core/gate.c, core/call.c, core/settle.c and core/reap.c do, one step
 * for every store or compare-and-swap that others can see. Three workers call one breaker, each with one lane entry.
 * Any of them may be killed between any two steps, or just not go on (a stopped one); so may the daemon, who reaps the
 * dead and settles what is overdue. Time passes and an operator trips and resets whenever they like. run.sh checks it.
 *
 * What is abstracted, and why it may be:
 * - An epoch is its age seen from the gate: CURRENT, NEXT (named by who is about to make it), OLD. It grows old with
 *   every transition and is never young again: 65,536 transitions during one call are left out.
 * - A compare-and-swap of the gate succeeds if nobody has changed the word since it was read (`linked`). A word that
 *   changed and changed back is one that was read later.
 * - A loop of read, gate_step() and compare-and-swap with nothing in between is one step: only its last round counts.
 * - A lane word's sequence: `copied` says that the entry is still the one that the daemon has read.
 * - Reading alone is no step: what others do between it and our next store might as well be done after that store.
 * - Times: the deadline, or the newest lease, has run out or not. Any call may be overdue. A failure in a closed
 *   breaker trips (failure_threshold 1), so that streaks and windows stay out.
 *
 * Mistakes that must be found, each with -D: SEED_TWO_STORES, SEED_LEASE, SEED_RESET, SEED_SETTLE, SEED_LATE.
 */
#define WORKERS 3
#ifndef MAX_CALLS
#define MAX_CALLS 2 /* half_open_max_calls */
#endif
#ifndef NEEDED
#define NEEDED 2 /* success_threshold */
#endif

#ifndef TIMED
#define TIMED 1 /* the policy has a call_timeout */
#endif
#define CLOSED 0
#define OPEN   1
#define HALF   2

#define OLD     0
#define CURRENT 1
#define NEXT    2

#define SUCCESS 0
#define FAILURE 1
#define IGNORED 2

/* The gate's word, and whether its deadline or newest lease has run out. */
byte gate_state = CLOSED, gate_probes, gate_successes;
bool elapsed;

/* A lane entry a worker. */
typedef call {
    bool busy, pending, probe;
    byte epoch
}
call lane[WORKERS];

/* What a worker has in its hands: the epoch that it has read in the gate or makes; whether that word still stands. */
bool alive[WORKERS] = true;
byte epoch[WORKERS];
bool linked[WORKERS], probe[WORKERS];

/* What the daemon has read of an entry. */
byte entry;
byte read_epoch;
bool copied, read_probe, read_pending, read_alive;

/* Ghosts: nobody decides by them. */
bool holds[WORKERS];  /* a probe that was admitted and whose outcome has not reached the gate */
bool stale[WORKERS];  /* a transition came after the call's admission */
byte settled[WORKERS]; /* who has taken the call to settle it: so many */
bool read_stale;

/* ---- gate_step(): a function of scratch values, which are no part of the state ---- */

hidden byte state, probes, successes;
hidden byte due, moved, renewed, admitted, took;
hidden byte i, rounds;

inline word_load()
{
    state = gate_state; probes = gate_probes; successes = gate_successes; due = elapsed;
    moved = false; renewed = false; admitted = false; took = false
}

inline to(next)
{
    state = next; probes = 0; successes = 0; moved = true; renewed = true
}

inline step_acquire()
{
    if /* lapse() */
    :: state == HALF && probes >= MAX_CALLS && due -> to(OPEN); due = false
    :: else
    fi;
    if
    :: state == CLOSED -> admitted = true
    :: state == OPEN && due -> to(HALF); probes = 1; admitted = true; took = true
    :: state == HALF && probes < MAX_CALLS -> probes++; renewed = true; admitted = true; took = true
    :: else
    fi
}

inline step_probe_back(outcome)
{
    if
    :: probes > 0 -> probes--
    :: else
    fi;
    if
    :: outcome == FAILURE -> to(OPEN)
    :: outcome == SUCCESS && successes + 1 >= NEEDED -> to(CLOSED)
    :: outcome == SUCCESS && successes + 1 < NEEDED -> successes++
    :: else
    fi
}

/* ---- transition_swap() ---- */

inline grow_old(age)
{
    if
    :: age > OLD -> age--
    :: else
    fi
}

/* Everybody's epochs are a transition older. */
inline all_grow_old()
{
    i = 0;
    do
    :: i < WORKERS -> grow_old(epoch[i]); grow_old(lane[i].epoch); i++
    :: else -> break
    od;
    grow_old(read_epoch)
}

inline all_stale()
{
    i = 0;
    do
    :: i < WORKERS -> stale[i] = stale[i] || epoch[i] != OLD || lane[i].epoch != OLD; i++
    :: else -> break
    od;
    read_stale = read_stale || read_epoch != OLD
}

inline word_store()
{
    gate_state = state; gate_probes = probes; gate_successes = successes;
    elapsed = elapsed && !renewed;
    i = 0;
    do
    :: i < WORKERS -> linked[i] = false; i++
    :: else -> break
    od;
    if
    :: moved -> all_stale(); all_grow_old()
    :: else
    fi
}

/* ---- what must hold ---- */

#define HELD(w) (alive[w] && holds[w] && epoch[w] == CURRENT)

inline check_probes()
{
    assert(gate_state != HALF || HELD(0) + HELD(1) + HELD(2) <= MAX_CALLS)
}

/* Whatever the word: somebody who comes alone, all others stopped for ever, and waits, is let in. */
inline check_not_stuck()
{
    word_load();
    rounds = 0;
    do
    :: !admitted && rounds < 3 ->
#ifdef SEED_LEASE
        due = (state == OPEN);
#else
        due = true;
#endif
        step_acquire();
        rounds++
    :: else -> break
    od;
    assert(admitted)
}

/* An epoch has one state, so that looking at the gate first and settling then is the same as settling at once. */
inline outcome_apply(age, outcome, is_stale)
{
    word_load();
    if
    :: state == HALF && age == CURRENT -> assert(!is_stale); step_probe_back(outcome); word_store()
    :: state == CLOSED && age == CURRENT && outcome == FAILURE ->
        assert(!is_stale); to(OPEN); word_store()
    :: else
    fi
}

/* ---- a worker ---- */

#define me _pid

/* Read the gate and decide. A rejection, and what lapses with it, is done at once. */
inline acquire_read()
{
    word_load();
    step_acquire();
    epoch[me] = (admitted && moved -> NEXT : CURRENT);
    stale[me] = false; probe[me] = took; linked[me] = took; going = admitted;
    if
    :: !admitted && moved -> word_store()
    :: else
    fi
}

/* A free entry that is claimed gets another sequence: what the daemon has read of it is another call. */
inline lane_write(is_pending)
{
    copied = copied && (entry != me || lane[me].busy);
    lane[me].busy = true; lane[me].pending = is_pending; lane[me].probe = probe[me];
    lane[me].epoch = (probe[me] || !is_pending -> epoch[me] : OLD) /* else nobody looks at it */
}

/* Write down what will be done, before it is done; a call that needs no more than the lane is admitted with it. Reading
 * the gate and this are one step: what comes in between might as well come afterwards. */
#define SWAPS (probe[me] || TIMED)
inline intent_write()
{
    if
#ifdef SEED_LATE
    :: going && !SWAPS -> lane_write(false)
#else
    :: going -> lane_write(SWAPS)
#endif
    :: else
    fi
}

/* Swap the gate, unless it has changed. A closed gate is not swapped. */
inline acquire_swap()
{
    going = linked[me] || !probe[me];
    if
    :: linked[me] && probe[me] ->
        word_load(); step_acquire(); word_store();
        stale[me] = false; holds[me] = true
    :: else
    fi;
    linked[me] = false;
    check_probes()
}

/* The mistake: what was read is written back in two stores, whatever has happened meanwhile. */
inline first_store()
{
    word_load();
    if
    :: probe[me] && state == OPEN -> to(HALF); word_store()
    :: else
    fi;
    going = true; linked[me] = false
}

inline second_store(count)
{
    word_load();
    if
    :: probe[me] ->
        probes = count; renewed = true; word_store();
        stale[me] = false; holds[me] = true; epoch[me] = CURRENT
    :: else
    fi;
    check_probes()
}

inline lane_free(w)
{
    lane[w].busy = false; lane[w].pending = false; lane[w].probe = false; lane[w].epoch = OLD
}

/* Take the call back from the lane; by exchange if the daemon might. Afterwards somebody has it: we, or the daemon; who
 * comes too late frees the entry, if the daemon has not done so. */
inline take_back()
{
    going = true;
    if
    :: TIMED ->
#ifndef SEED_SETTLE
        going = lane[me].busy && !lane[me].pending;
#endif
        if
        :: going -> lane[me].pending = true
        :: else -> lane_free(me)
        fi
    :: !TIMED && probe[me] -> lane[me].pending = true
    :: else
    fi;
    settled[me] = settled[me] + going;
    assert(settled[me] == 1)
}

inline forget(w)
{
    epoch[w] = OLD; linked[w] = false; probe[w] = false; holds[w] = false; stale[w] = false;
    settled[w] = 0
}

/* Killed with something in the lane. What it had read is lost; the ghosts keep only what somebody may still ask for. */
inline die()
{
    alive[me] = false; linked[me] = false; probe[me] = false; settled[me] = 0;
    epoch[me] = (holds[me] -> epoch[me] : OLD);
    stale[me] = stale[me] && lane[me].busy && !lane[me].pending;
    going = false
}
#define OR_DIE :: atomic { die(); goto dead }

inline settle(outcome)
{
    outcome_apply(epoch[me], outcome, stale[me]);
    holds[me] = false
}

active [WORKERS] proctype worker()
{
    bool going;
#ifdef SEED_TWO_STORES
    byte count;
#endif

idle:
    atomic {
        d_step { acquire_read(); intent_write() };
        if
        :: !going && !lane[me].busy -> d_step { forget(me) }; goto idle
        :: !going && lane[me].busy -> goto free
        :: going && !SWAPS -> goto held
        :: going && SWAPS
        fi
    };
#ifdef SEED_TWO_STORES
    count = gate_probes + 1;
    d_step { first_store() };
    d_step { second_store(count); count = 0 };
#else
    if
    :: atomic {
        d_step { acquire_swap() };
        if
        :: !going -> goto idle
        :: else
        fi
    }
    OR_DIE
    fi;
#endif
    if
    :: d_step { lane_write(false) }
    OR_DIE
    fi;
held:
    if
    :: atomic {
        d_step { take_back() };
        if
        :: !going -> d_step { forget(me) }; goto idle /* it was overdue */
        :: else
        fi
    }
    OR_DIE
    fi;
    if
    :: d_step { settle(SUCCESS) }
    :: d_step { settle(FAILURE) }
    :: d_step { settle(IGNORED) }
    OR_DIE
    fi;
free:
    if
    :: atomic { d_step { lane_free(me); forget(me); going = false }; goto idle }
    OR_DIE
    fi;
dead:
    alive[me];
    goto idle
}

/* ---- the daemon ---- */

inline read_forget()
{
    copied = false; read_probe = false; read_pending = false; read_alive = false; read_stale = false;
    read_epoch = OLD; entry = 0
}

inline entry_read(w)
{
    entry = w; copied = true; read_alive = alive[w]; read_stale = stale[w];
    read_epoch = lane[w].epoch; read_probe = lane[w].probe; read_pending = lane[w].pending
}

/* call_reap(): mark the entry as pending, unless it is no longer what was read. */
inline entry_take()
{
    got = copied && lane[entry].busy && lane[entry].pending == read_pending;
    if
    :: got ->
        lane[entry].pending = true;
        settled[entry] = settled[entry] + read_alive;
        assert(settled[entry] <= 1 || !read_alive)
    :: else -> read_forget()
    fi
}

inline read_settled()
{
    read_probe = false; read_pending = false; read_alive = false; read_stale = false; read_epoch = OLD
}

/* Settled: free the entry, unless its late holder has. */
inline entry_release()
{
    if
    :: copied && lane[entry].busy -> lane_free(entry)
    :: else
    fi
}

/* Whether its holder had the probe is unknown: the half-open phase that it named ends. */
inline probe_lost()
{
    word_load();
    if
    :: read_probe && state == HALF && read_epoch == CURRENT -> to(OPEN); word_store()
    :: else
    fi
}

/* Its entry is free: another process may have its number. A probe that died has re-opened the breaker by now. */
inline bury(w)
{
    assert(!(holds[w] && epoch[w] == CURRENT && gate_state == HALF));
    forget(w);
    alive[w] = true
}

#define REAPABLE(w) (lane[w].busy && (!alive[w] || (TIMED && !lane[w].pending)))
#define BURIABLE(w) (!lane[w].busy && !alive[w])

active proctype daemon()
{
    bool got;
turn:
    if
    :: d_step { REAPABLE(0) -> entry_read(0) }
    :: d_step { REAPABLE(1) -> entry_read(1) }
    :: d_step { REAPABLE(2) -> entry_read(2) }
    :: d_step { BURIABLE(0) -> bury(0) }; goto turn
    :: d_step { BURIABLE(1) -> bury(1) }; goto turn
    :: d_step { BURIABLE(2) -> bury(2) }; goto turn
    fi;
    if
    :: d_step { entry_take() }
    :: d_step { entry_take(); read_forget(); got = false } /* and is killed */
    fi;
    if
    :: atomic { !got -> goto turn }
    :: d_step { got && read_pending -> probe_lost(); read_settled(); got = false }
    :: d_step { got && !read_pending -> outcome_apply(read_epoch, FAILURE, read_stale); read_settled(); got = false }
    fi;
    if
    :: d_step { entry_release(); read_forget() }
    :: d_step { read_forget() } /* is killed */
    fi;
    goto turn
}

/* ---- the rest of the world ---- */

inline reset()
{
    word_load(); to(CLOSED);
#ifdef SEED_RESET
    moved = false;
#endif
    all_stale(); word_store()
}

active proctype world()
{
    do
#ifdef SEED_LEASE
    :: d_step { gate_state == OPEN && !elapsed -> elapsed = true }
#else
    :: d_step { gate_state != CLOSED && !elapsed -> elapsed = true }
#endif
    :: d_step { reset() }
    :: d_step { word_load(); to(OPEN); word_store() }
    od
}

active proctype newcomer()
{
    do
    :: d_step { check_not_stuck() }
    od
}
