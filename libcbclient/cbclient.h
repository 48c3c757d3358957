/*
 * cbclient.h - circuit breakers shared by every process on the host.
 *
 * A breaker stands in front of one dependency. Every worker process that asks for the breaker of the same name in the
 * same registry shares it: what one of them learns, all of them know with their next call.
 *
 *     cb_registry *registry;
 *     cb_breaker *payments;
 *     cb_attach(NULL, &registry);
 *     cb_get_or_create(registry, "payments", "failure_threshold=3 open_timeout=10s", &payments);
 *
 *     cb_permit permit;
 *     if (cb_acquire(payments, &permit) == CB_ADMITTED)
 *         charge() == 0 ? cb_success(&permit) : cb_failure(&permit);
 *
 * What holds for every function here, unless it says otherwise:
 *
 *   Return values   0: done (or admitted). Positive: a breaker's answer. Negative: an error, -errno or one of
 *                   `enum cb_error`; cb_strerror() names it and cb_last_error() says what exactly was wrong.
 *   Threads         Any thread may call anything at any time on the same handles, except that nobody may use a handle
 *                   while or after it is detached. One permit is settled by one thread, not necessarily the one that
 *                   acquired it.
 *   Fork            Handles stay valid in a forked child, which gets a place of its own at its first call. A permit
 *                   belongs to the process that acquired it: settling a copy of it in a child does nothing and
 *                   returns CB_ENOTMINE. A program that executes another one leaves its calls behind: they are
 *                   abandoned, as if it had died.
 *   Signals         The library installs no handler and changes no mask. Settling (cb_success to cb_settle),
 *                   cb_would_admit, cb_state_of and cb_retry_after_ms may be used in a signal handler; nothing else
 *                   may: cb_acquire allocates where it has to look for the registry.
 *   The host        The library starts no thread, prints nothing, never exits and never aborts.
 *   Time            Durations are in the unit that their name ends in. Time is CLOCK_MONOTONIC: setting the wall
 *                   clock changes nothing.
 */
#ifndef CBCLIENT_H
#define CBCLIENT_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CB_API __attribute__((visibility("default")))

/* A connection of this process to one registry. Created by cb_attach(), ended by cb_detach(). */
typedef struct cb_registry cb_registry;

/* One breaker of a registry. Owned by the registry's handle: valid until cb_detach(), nothing to free. */
typedef struct cb_breaker cb_breaker;

/* Leave for one call: a small value, kept by the caller (on its stack, usually) until the call is settled. Its content
 * is the library's. May be copied or moved, but settled only once. All zero bytes: a permit that holds nothing. */
typedef struct cb_permit {
    uint64_t cb_private[6];
} cb_permit;

/* What a breaker answers to a call. */
enum cb_answer {
    CB_ADMITTED = 0,             /* go ahead, then settle the permit */
    CB_REJECTED_OPEN = 1,        /* open or forced open */
    CB_REJECTED_PROBES = 2,      /* half-open, and all its probes are under way */
    CB_REJECTED_CONCURRENCY = 3, /* max_concurrent calls are in flight on this host */
    CB_POLICY_DIFFERS = 16,      /* cb_get_or_create(): found, with another policy than the one given */
    CB_MISSED = 17,              /* cb_watch_next(): events were overwritten before they were read */
};

/* A breaker's state. */
enum cb_state {
    CB_CLOSED = 0,      /* calls go through */
    CB_OPEN = 1,        /* calls are rejected until the deadline */
    CB_HALF_OPEN = 2,   /* a few calls go through as probes */
    CB_FORCED_OPEN = 3, /* override: every call is rejected */
    CB_DISABLED = 4,    /* override: every call goes through, nothing is counted */
    CB_METRICS_ONLY = 5 /* override: every call goes through and is counted, nothing trips */
};

/* How a call ended. */
enum cb_outcome {
    CB_SUCCESS = 0,
    CB_FAILURE = 1,
    CB_IGNORED = 2,   /* says nothing about the dependency: the permit is given back */
    CB_ABANDONED = 3, /* whoever made the call died or forgot about it: a failure, counted as `abandoned` */
};

/* Errors of our own. All are below -4095, so that none is an errno. */
enum cb_error {
    CB_ENODAEMON = -10001,    /* no registry of that name: registryd is not running and has left no memory behind */
    CB_EUNREACHABLE = -10002, /* the registry's memory is there, but registryd does not answer: only controls need it */
    CB_EOWNER = -10003,       /* the memory belongs to another user, or others may write to it: refused */
    CB_EVERSION = -10004,     /* made by an incompatible version */
    CB_ELAYOUT = -10005,      /* same version, other sizes: another libc or word size on one of the two sides */
    CB_ENAMESPACE = -10006,   /* made in another PID or time namespace */
    CB_ERETIRED = -10007,     /* the registry has been replaced by a newer one */
    CB_ECORRUPT = -10008,     /* the memory is damaged (truncated, or its header makes no sense) */
    CB_ENAME = -10009,        /* not a valid name: 1 to 63 bytes of A-Z a-z 0-9 . _ : / @ - */
    CB_EPOLICY = -10010,      /* a policy that cannot work; cb_last_error() has the key, the value and the range */
    CB_EFULL = -10011,        /* the registry has no room for another breaker (or another bulkhead place) */
    CB_ENOTFOUND = -10012,    /* no breaker of that name */
    CB_EREMOVED = -10013,     /* the breaker was removed */
    CB_ESETTLED = -10014,     /* the permit holds nothing: settled before, or never acquired */
    CB_ENOTMINE = -10015,     /* the permit was acquired by another process (this one is its forked child) */
    CB_EOVERDUE = -10016,     /* the call had been counted as overdue already; its outcome is counted nowhere */
    CB_EDENIED = -10017,      /* this user may not do that; cb_last_error() says which group may */
    CB_EPROTOCOL = -10018,    /* the daemon sent something that is not the protocol */
    CB_EREASON = -10019,      /* a reason longer than 127 bytes, or not UTF-8 without control characters */
    CB_ERUNNING = -10020,     /* a control of an offline handle: registryd runs, and the memory is its own to change */
};

/* ---- registry ------------------------------------------------------------------------------------------------- */

/*
 * Attach this process to `registry` (NULL: $CB_REGISTRY, else "default").
 *
 * 0: attached; *out shares its breakers with every process on the host.
 * Negative, *out set: there is no registry to be had (CB_ENODAEMON, CB_EOWNER, CB_EVERSION ...: what is wrong). The
 *   handle works all the same, with the same breakers in this process's private memory, and joins the shared registry
 *   by itself once there is one (a call tries at most once a second). Programs that want protection first and sharing
 *   when possible just go on; cb_is_shared() tells.
 * Negative, *out NULL: CB_ENAME, -EINVAL or -ENOMEM; nothing was attached.
 *
 * A prefork master may attach, and create breakers, before it forks. Attaching twice gives two independent handles.
 * May block for up to a second on a daemon that does not answer.
 */
CB_API int cb_attach(const char *registry, cb_registry **out);

/*
 * Attach to a registry whose daemon does not run, to change it all the same: controls of this handle, and
 * cb_get_or_create(), act on the memory themselves. Only for the user that owns the memory (-EACCES or CB_EOWNER for
 * others). They return CB_ERUNNING while there is a daemon, and wait for up to 5 seconds for another process that is
 * changing the registry like this. Negative: *out is NULL.
 */
CB_API int cb_attach_offline(const char *registry, cb_registry **out);

/* End the handle and all its breakers, and null *registry. NULL or *registry NULL: nothing. Calls that were not settled
 * are counted as abandoned. */
CB_API void cb_detach(cb_registry **registry);

/* 1: breakers of this handle are shared; 0: they are private to this process (see cb_attach). */
CB_API int cb_is_shared(const cb_registry *);

/* The registry's name. Valid until cb_detach(). */
CB_API const char *cb_registry_name(const cb_registry *);

/* ---- breakers ------------------------------------------------------------------------------------------------- */

/* Find a breaker. No daemon is involved. CB_ENOTFOUND: there is none; CB_ENAME. The same name gives the same handle. */
CB_API int cb_get(cb_registry *, const char *name, cb_breaker **out);

/*
 * Find a breaker, or create it with `policy` ("key=value key=value ..."; NULL or "": all defaults). One that exists
 * keeps its state and its policy: 0 if its policy means the same as `policy` (or `policy` is NULL), CB_POLICY_DIFFERS
 * if not; *out is set in both cases.
 * Errors, with *out NULL: CB_ENAME, CB_EPOLICY, CB_EFULL, CB_EDENIED. With the daemon away (CB_EUNREACHABLE) *out is
 * set to a private breaker that becomes the shared one once it can be created.
 */
CB_API int cb_get_or_create(cb_registry *, const char *name, const char *policy, cb_breaker **out);

/* The breaker's name. Valid as long as the breaker. */
CB_API const char *cb_name_of(const cb_breaker *);

/* ---- the call path: no lock, no system call, no allocation ------------------------------------------------------ */

/* Ask for leave for one call. CB_ADMITTED (0): make the call, then settle *permit. Positive (enum cb_answer): do not
 * make the call; *permit holds nothing. Negative: only -EINVAL, for a NULL. */
CB_API int cb_acquire(cb_breaker *, cb_permit *);

/* Settle a permit: the call's outcome. 0: done, and the permit holds nothing any more. CB_ESETTLED, CB_ENOTMINE,
 * CB_EOVERDUE: nothing was counted. An outcome may come at any time; if the breaker has changed its state since the
 * call was admitted, it is counted but changes nothing. */
CB_API int cb_success(cb_permit *);
CB_API int cb_failure(cb_permit *);
CB_API int cb_ignore(cb_permit *);

/* The same with a duration that the caller measured, in nanoseconds, for slow calls and the latency histogram. */
CB_API int cb_settle(cb_permit *, enum cb_outcome, uint64_t took_ns);

/* Would a call be admitted now? The answer that cb_acquire() would give, as far as can be said without asking: changes
 * nothing. */
CB_API int cb_would_admit(const cb_breaker *);

/* The state that the next call will find: an open breaker whose time is up is CB_HALF_OPEN. */
CB_API enum cb_state cb_state_of(const cb_breaker *);

/* Milliseconds until the breaker lets a probe through (for a Retry-After header), rounded up; 0: now;
 * UINT64_MAX: forced open without an end. */
CB_API uint64_t cb_retry_after_ms(const cb_breaker *);

/* Settles a forgotten permit as a failure (counted as abandoned) on every way out of the block it is declared in:
 *     CB_SCOPED cb_permit permit = {0}; */
#define CB_SCOPED __attribute__((cleanup(cb_permit_forget)))
CB_API void cb_permit_forget(cb_permit *);

/* ---- protected calls -------------------------------------------------------------------------------------------- */

/* 0: success. CB_IGNORE: neutral. Anything else: failure. A C++ operation may throw; the call then counts as abandoned. */
typedef int cb_operation(void *arg);
#define CB_IGNORE INT_MIN

/* Run `operation(arg)` if the breaker admits it and settle its outcome. Returns the breaker's answer, never the
 * operation's: CB_ADMITTED, it ran and *result (may be NULL) has its value; positive, it did not run and *result is
 * untouched. */
CB_API int cb_call(cb_breaker *, cb_operation *operation, void *arg, int *result);

/* As cb_call(); when the breaker rejects, or the operation fails, `fallback(arg)` runs (unprotected) and *result has
 * its value. Returns the breaker's answer. */
CB_API int cb_call_with_fallback(cb_breaker *, cb_operation *operation, cb_operation *fallback, void *arg, int *result);

/* How to retry. Zero in any field takes the default. */
struct cb_retry {
    unsigned max_attempts;   /* 3: attempts in all */
    uint64_t wait_ms;        /* 100: before the second attempt */
    double multiplier;       /* 2: each further wait is that much longer */
    uint64_t max_wait_ms;    /* 10000 */
    unsigned jitter_percent; /* 20: each wait varies by up to +/- that many percent; over 100: -EINVAL */
};

/* Run `operation(arg)` until it does not fail. Every attempt asks the breaker and is recorded as a call of its own; as
 * soon as the breaker rejects, no further attempt is made and its answer is returned (*result: the last attempt's
 * value, untouched if there was none). CB_ADMITTED: *result is the last attempt's value. Sleeps between attempts.
 * `retry` NULL: the defaults. */
CB_API int cb_call_with_retry(cb_breaker *, cb_operation *operation, void *arg, const struct cb_retry *retry,
                              int *result);

/* ---- looking ---------------------------------------------------------------------------------------------------- */

/* A breaker's state and its counts since it was created. Fields are only ever appended. */
struct cb_snapshot {
    uint64_t state; /* enum cb_state */
    uint64_t successes;
    uint64_t failures;
    uint64_t slow; /* successes and failures at least slow_call_duration long */
    uint64_t ignored;
    uint64_t rejected;    /* of any kind */
    uint64_t abandoned;   /* the caller died or forgot: failures, not counted in `failures` */
    uint64_t overdue;     /* still running at call_timeout: failures, not counted in `failures` */
    uint64_t transitions; /* state changes, resets included */
    uint64_t in_flight;   /* calls under way now, on the whole host */
    uint64_t rejected_open;
    uint64_t rejected_probes;
    uint64_t rejected_concurrency;
};

/* Fill the first `size` bytes of *out (pass sizeof *out). -EINVAL: a NULL or a size of 0. CB_EREMOVED: it was removed, or
 * its registry replaced, and no call has made it anew. */
CB_API int cb_snapshot_of(const cb_breaker *, struct cb_snapshot *out, size_t size);

/* Everything about one breaker at one moment. Strings are NUL-terminated. Fields are only ever appended. */
struct cb_health {
    char name[64];
    char policy[512]; /* the text form: the keys that differ from the defaults */
    struct cb_snapshot counts;
    uint64_t retry_after_ms;   /* as cb_retry_after_ms() */
    uint64_t streak;           /* consecutive failures now */
    uint64_t window_calls;     /* calls in the window now */
    double failure_rate;       /* percent of them that failed; 0 with an empty window */
    double slow_call_rate;     /* percent of them that were slow */
    int32_t answer;            /* as cb_would_admit() */
    int32_t shared;            /* 1: in the registry; 0: private to this process */
    uint64_t override_left_ms; /* an override's time left; UINT64_MAX: until somebody ends it; 0: no override */
    char override_reason[128]; /* what the operator wrote; "" if nothing */
    uint32_t override_uid;     /* who imposed it */
    uint32_t override_pid;
    uint64_t latency_count;  /* timed calls; percentiles below are 0 without any */
    uint64_t latency_p50_us; /* upper bound of the histogram bucket, at most a half above the true value */
    uint64_t latency_p95_us;
    uint64_t latency_p99_us;
};

CB_API int cb_health_of(const cb_breaker *, struct cb_health *out, size_t size);

/* How long the timed calls since the breaker was created took: a histogram. Fields are only ever appended. */
#define CB_LATENCY_BUCKETS 56
struct cb_latency {
    uint64_t calls[CB_LATENCY_BUCKETS];    /* that took at least the bound before, and less than this one */
    uint64_t bound_ns[CB_LATENCY_BUCKETS]; /* two an octave; the last bucket has all longer calls too */
};

/* As cb_health_of(), for the histogram. */
CB_API int cb_latency_of(const cb_breaker *, struct cb_latency *out, size_t size);

/* Called once for each; a value other than 0 ends the listing, which then returns it. `health` is valid during the call. */
typedef int cb_health_visit(const struct cb_health *health, void *arg);

/* Every breaker of the registry, sorted by name. Reads the memory: needs no daemon. */
CB_API int cb_list(cb_registry *, cb_health_visit *visit, void *arg);

/* A process attached to the registry. */
struct cb_worker {
    uint32_t pid;
    uint32_t lane;       /* its number in the registry */
    uint64_t in_flight;  /* its calls under way */
    uint64_t started_ms; /* when the process began, in milliseconds since boot */
    char command[32];    /* its name; "" if it cannot be read or has ended */
};
typedef int cb_worker_visit(const struct cb_worker *worker, void *arg);
CB_API int cb_list_workers(cb_registry *, cb_worker_visit *visit, void *arg);

/* A call under way somewhere on the host. */
struct cb_inflight {
    char name[64]; /* the breaker ("" if it is gone) */
    uint32_t pid;
    char command[32]; /* as a worker's */
    uint64_t age_ms;  /* for how long; UINT64_MAX: not known */
    int32_t exact;    /* 1: just that long; 0: at least: when the daemon saw it first */
    int32_t probe;    /* 1: a half-open breaker's probe */
    int32_t place;    /* 1: has a place under max_concurrent */
};
typedef int cb_inflight_visit(const struct cb_inflight *call, void *arg);

/* Every call in flight, the oldest first, those of unknown age last. Of a call that is no probe, has no place and whose
 * breaker has no call_timeout, only the daemon knows the age, at most a second too young if it has run that long; it is
 * asked, for up to 2 seconds. A call that was counted as overdue is not in flight any more. */
CB_API int cb_list_calls(cb_registry *, cb_inflight_visit *visit, void *arg);

/* How full a registry is. Each number has what there is room for beside it. Fields are only ever appended. */
struct cb_usage {
    uint64_t breakers, breaker_room; /* the capacity */
    uint64_t workers, worker_room;   /* processes */
    uint64_t calls, call_room;       /* in flight: taken by processes, which take room for 8 at a time */
    uint64_t places, place_room;     /* of all max_concurrent together */
    uint64_t untracked;              /* calls of these processes that found no room: nobody notices if they die */
    uint64_t memory;                 /* bytes of /dev/shm */
    char socket[108];                /* where registryd listens */
};

/* Fill the first `size` bytes of *out (pass sizeof *out). Reads the memory: needs no daemon. All 0 where there is
 * neither a registry nor anything private. */
CB_API int cb_usage_of(cb_registry *, struct cb_usage *out, size_t size);

/* A transition or control action. Fields are only ever appended. */
struct cb_event {
    uint64_t sequence; /* its number in the registry, growing by one; 0: none yet (the daemon is away, or the breaker
                           * is private) */
    uint64_t time_ms;  /* milliseconds since boot (CLOCK_MONOTONIC) */
    uint64_t wall_ms;  /* milliseconds since 1970, as the host's clock was set then */
    char name[64];     /* the breaker, also if it was removed since */
    int32_t from, to;  /* enum cb_state; -1: nobody knows. Equal where the event changed no state */
    const char *cause; /* "streak", "failure rate", "probe failed", "operator reset" ...; static storage */
    uint64_t value;    /* the number behind it: a streak's failures, a rate's failed (slow) calls, probes that passed */
    uint64_t of;       /* of how many calls or probes; 0: not a rate */
    uint64_t threshold; /* the policy's: a number, or for rates percent */
    uint64_t until_ms;  /* open: when a probe may go; an override: when it ends (as time_ms); 0: not by itself */
    uint32_t pid;       /* who caused it, or (abandoned, overdue) whose call it was; 0: the daemon, or nobody knows */
    uint32_t uid;       /* of a control action: who; UINT32_MAX: it was none */
    char command[32];   /* that process's name; "" if it was gone before anybody asked */
    char reason[128];   /* what the operator wrote; of "created" and "policy changed": the policy, as far as it fits */
    char text[192];     /* all of it as a sentence: "open: 5 consecutive failures (threshold 5)" */
    int32_t filled;     /* 1: who caused it died before writing it down; the daemon noticed the change itself */
};
typedef int cb_event_visit(const struct cb_event *event, void *arg);

/* What happened to one breaker (also one that was removed), or to all (`name` NULL), oldest first; the oldest are
 * overwritten. Nothing is left out in between, also while the daemon is away. */
CB_API int cb_history(cb_registry *, const char *name, cb_event_visit *visit, void *arg);

/* ---- watching: events as they happen ----------------------------------------------------------------------------- */

/* A place in the registry's events, from which one reader goes on at its own pace: there is no queue, so a slow or
 * stopped reader slows nobody. One thread at a time uses a watch. It belongs to the process that opened it: in a forked
 * child cb_watch_next() returns CB_ENOTMINE, and cb_watch_close() there leaves the parent's alone. */
typedef struct cb_watch cb_watch;

/* Watch one breaker, which need not exist yet, or all (`name` NULL), from now on. The registry must stay attached.
 * Works without a daemon, too, and before there is a registry. */
CB_API int cb_watch_open(cb_registry *, const char *name, cb_watch **out);

/* A descriptor (close-on-exec) for poll, epoll or an event loop: readable when there may be something to do for
 * cb_watch_next(). It stays the watch's: do not read or close it. */
CB_API int cb_watch_fd(const cb_watch *);

/* The next event, into the first `size` bytes of *event (pass sizeof *event). 0: one. -EAGAIN: none for now; wait for
 * the descriptor, which stays readable until then. CB_MISSED: this reader was so slow that events were overwritten:
 * `value` says how many (of all breakers), and the next call goes on behind them. Never blocks for longer than it takes
 * to connect to the daemon (at most 250 ms, and only while it is being looked for). */
CB_API int cb_watch_next(cb_watch *, struct cb_event *event, size_t size);

/* 1: the daemon tells this watch when something happens; 0: it is away, and the watch looks by itself, 4 times a
 * second. */
CB_API int cb_watch_connected(const cb_watch *);

/* Close it and set *watch to NULL. Harmless on NULL. */
CB_API void cb_watch_close(cb_watch **watch);

/* ---- controls: by the daemon (or directly, on private breakers); never on the call path -------------------------- */

/* Each may block for a few seconds on a daemon that does not answer (CB_EUNREACHABLE). `reason` goes to the breaker's
 * history and the daemon's log, and an override's is kept with it (of a private breaker only that); NULL: none; at most
 * 127 bytes of UTF-8 without control characters (CB_EREASON). CB_EDENIED: you may not. */
CB_API int cb_trip(cb_breaker *, const char *reason);  /* open for the usual time */
CB_API int cb_reset(cb_breaker *, const char *reason); /* closed; streak, window, backoff cleared; override ended */
CB_API int cb_reset_all(cb_registry *, const char *reason);

/* Impose CB_FORCED_OPEN, CB_DISABLED or CB_METRICS_ONLY for `for_ms` (0: until ended), or end an override with
 * CB_CLOSED ("auto"; without an override it changes nothing). Anything else: -EINVAL. */
CB_API int cb_override(cb_breaker *, enum cb_state, uint64_t for_ms, const char *reason);

/* A new policy; keys that are not named take their defaults. The state is kept. CB_EPOLICY, CB_EFULL. */
CB_API int cb_set_policy(cb_breaker *, const char *policy);

/* Forget the breaker: its state, counts and policy. Handles on it go on in private memory; those that came from
 * cb_get_or_create() create it anew at a later call, with their own policy. */
CB_API int cb_remove(cb_breaker *, const char *reason);

/* Round trip to the daemon. *version (may be NULL): its version, static storage. */
CB_API int cb_ping(cb_registry *, uint64_t *round_trip_ns, const char **version);

/* How often registryd has found and repaired damage in the shared memory, since that was made: more than 0 says that some
 * program of the registry's members writes where it should not. 0 also without a shared registry. */
CB_API uint64_t cb_damage_count(cb_registry *);

/* ---- policies --------------------------------------------------------------------------------------------------- */

/* Check a policy text without a registry: 0, or CB_EPOLICY with cb_last_error() naming key, value and range. */
CB_API int cb_policy_check(const char *policy);

/* ---- virtual time: for tests and simulations ---------------------------------------------------------------------- */

/* A private registry whose clock stands at 0 and moves only by cb_virtual_advance(). Same code, same breakers. */
CB_API int cb_virtual_open(cb_registry **out);

/* Move its clock to `now_ms`. -EINVAL: backwards, or not a virtual registry. */
CB_API int cb_virtual_advance(cb_registry *, uint64_t now_ms);

/* What the daemon does periodically: overdue calls and lapsed probe leases are settled. */
CB_API int cb_virtual_tick(cb_registry *);

/* ---- words -------------------------------------------------------------------------------------------------------- */

/* Names a return value of this library, negative or not, in lower case. Never NULL; static storage. */
CB_API const char *cb_strerror(int);

/* What was wrong in the last call of this thread that returned a negative value: a sentence, never NULL. Valid until
 * this thread's next call. The call path does not set it. */
CB_API const char *cb_last_error(void);

/* "closed", "open", "half-open", "forced-open", "disabled", "metrics-only"; "?" for anything else. */
CB_API const char *cb_state_name(enum cb_state);

/* "admitted", "rejected:open", "rejected:probes", "rejected:concurrency"; "?" for anything else. */
CB_API const char *cb_answer_name(int);

/* The library's version, "1.0.0". */
CB_API const char *cb_version(void);

#ifdef __cplusplus
}
#endif
#endif
