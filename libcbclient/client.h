/* What the library's files share. A registry's handle has memberships (memories that it has mapped), a breaker's handle
 * is bound to a slot in one of them. Both are only ever added until cb_detach(), so the call path may follow a pointer
 * without holding anything. */
#ifndef LIBCBCLIENT_CLIENT_H
#define LIBCBCLIENT_CLIENT_H

#include <pthread.h>
#include <stdbool.h>

#include "cbclient.h"
#include "core/call.h"
#include "core/events.h"
#include "core/panel.h"
#include "core/plain.h"
#include "proto/registry.pb-c.h"

/* One memory. `shared`: a registry's; else this process's own. */
struct membership {
    struct segment segment;
    struct lane *lane;
    bool shared;
    struct membership *next;
};

/* Where a breaker is: immutable once published. */
struct binding {
    struct plain_target target;
    const au32 *retired;
    const struct lane *lane;
    struct membership *membership;
    const char *name; /* the breaker's */
    uint32_t slot;
    uint16_t incarnation;
    bool shared;
    struct binding *next; /* the one before, to be freed at detach */
};

struct cb_breaker {
    _Atomic(struct binding *) binding;
    cb_registry *registry;
    char name[NAME_SIZE];
    char *policy;         /* what cb_get_or_create() was given; NULL for a handle from cb_get() */
    struct binding first; /* the first it gets; here, so that looking it up touches as few cache lines as it can */
    bool bound;           /* `first` is used */
};

/* A place in the table of handles. `block` is what finding the handle leads to next: fetched while it is looked at. */
struct handle {
    cb_breaker *breaker;
    const void *block;
};

#define ADOPTING (UINT64_C(1) << 32) /* beyond every pid */
struct cb_registry {
    char name[NAME_SIZE];
    bool is_virtual;
    bool offline; /* controls act on the memory, which is mapped writable, instead of asking the daemon */
    uint64_t virtual_ms;
    au64 next_try_ms; /* when a call may look again for a shared registry */
    au64 process;     /* whose locks these are (with ADOPTING: is making them): a forked child makes them anew */

    pthread_mutex_t mutex; /* memberships, breakers; before `wire` where both are held */
    _Atomic(struct membership *) shared;
    struct membership *own;         /* private memory, made when first needed */
    struct membership *memberships; /* all, to be released at detach */
    struct handle *breakers;        /* by hash of the name */
    size_t breaker_count, breaker_room;

    pthread_mutex_t wire; /* the connection to the daemon */
    int fd;
    uint8_t *packet;
};

/* The permit's bytes. */
struct permit {
    struct binding *binding; /* NULL: holds nothing */
    struct held held;
};
_Static_assert(sizeof(struct permit) <= sizeof(cb_permit), "a permit fits the public struct");

/* look.c: what a handle's listings are about: the shared registry (which may have come, or been replaced, since the last
 * call), else this process's own memory; NULL: neither. */
const struct membership *registry_looked_at(cb_registry *);
/* The same without waiting for another thread, which may be waiting for the daemon: then it is what was known before. */
const struct membership *registry_glanced_at(cb_registry *);

/* history.c: an event as the public header has it. */
void event_publish(const struct event *, struct cb_event *out);

/* error.c: write the sentence for cb_last_error(), return `code`. */
#define fail(code, ...) (fail_note(__VA_ARGS__), (code)) /* a macro, so that analysers see which value it has */
__attribute__((format(printf, 1, 2))) void fail_note(const char *format, ...);
char *error_buffer(void); /* SEGMENT_ERROR_SIZE bytes at least */

/* process.c: getpid() without the system call. */
uint64_t process_number(void);

/* registry.c */
void registry_lock(cb_registry *);
bool registry_trylock(cb_registry *);
void registry_unlock(cb_registry *);
void registry_adopt(cb_registry *); /* in a forked child: locks and connection of its own */
/* Join the shared registry if there is one and it is not joined. Holding the mutex. */
int registry_join(cb_registry *);
int registry_refresh(cb_registry *); /* the same, not holding it */
/* Private memory, made if there is none: NULL if there is no memory for it. Holding the mutex. */
struct membership *registry_own(cb_registry *);
int registry_create(const char *name, cb_registry **out);

/* breaker.c */
/* Is the slot, whose commit word is given, still this breaker's, in a registry that is not retired? */
static inline bool binding_holds(const struct binding *binding, uint64_t commit)
{
    return (commit & TRAIT_USED) && commit_incarnation(commit) == binding->incarnation &&
           !atomic_load_explicit(binding->retired, memory_order_acquire);
}
static inline bool binding_current(const struct binding *binding)
{
    return binding_holds(binding, atomic_load_explicit(&binding->target.control->commit, memory_order_acquire));
}
/* Try, at most once a second, to bind all breakers to the shared registry. For the call path. */
void breaker_rejoin(cb_breaker *);
/* The binding to use now. The acquire pairs with the release that published it. */
static inline struct binding *breaker_binding(const cb_breaker *breaker)
{
    return atomic_load_explicit(&breaker->binding, memory_order_acquire);
}

/* control.c: one exchange with the daemon. 0 and *reply (to be freed by the caller with cb__reply__free_unpacked), or a
 * negative code with the sentence set. */
int wire_exchange(cb_registry *, const Cb__Request *request, int deadline_ms, Cb__Reply **reply);
#define WIRE_DEADLINE_MS      2000
#define WIRE_DEADLINE_JOIN_MS 250
void wire_attach(cb_registry *, const struct membership *);

/* offline.c: the same request, carried out on the memory. */
int offline_exchange(cb_registry *, const Cb__Request *request);
/* A connection of its own to the daemon of that memory, which gets a packet whenever something has happened. Its
 * descriptor, or a negative code. */
int wire_subscribe(const struct membership *);

/* Text of `policy` into a struct; CB_EPOLICY with the sentence set. */
int policy_of_text(const char *text, struct policy *out);

#endif
