/*
 * Watching: a cursor into the events in the memory. The descriptor is an epoll instance with a connection, on which the
 * daemon says that there is something new, and a timer: while the daemon is away the watch looks by itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client.h"
#include "core/clock.h"
#include "core/gather.h"

#define LOOK_EVERY_MS 250
#define HOLD_MS       1000

struct cb_watch {
    cb_registry *registry;
    uint64_t process; /* whose it is */
    uint64_t opened_ms;
    char name[NAME_SIZE];                /* "": all */
    const struct membership *membership; /* NULL: there is no registry yet */
    struct gather gather;                /* what this reader knows of each slot */
    uint64_t next;                       /* the event to read */
    uint64_t retry_ms;                   /* when to look for the daemon again */
    int epoll, timer, wire;              /* wire -1: the daemon is away */
};

static uint64_t now_ms(void)
{
    return clock_read_ms(CLOCK_MONOTONIC);
}

/* ---- the connection ---- */

/* Taken out by hand: while a forked child has it too, closing it does not. */
static void wire_end(cb_watch *watch)
{
    if (watch->wire >= 0) {
        epoll_ctl(watch->epoll, EPOLL_CTL_DEL, watch->wire, NULL);
        close(watch->wire);
    }
    watch->wire = -1;
    watch->retry_ms = now_ms() + LOOK_EVERY_MS;
}

static bool epoll_add(const cb_watch *watch, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void wire_begin(cb_watch *watch)
{
    if (watch->wire >= 0 || !watch->membership || !watch->membership->shared || now_ms() < watch->retry_ms)
        return;
    int fd = wire_subscribe(watch->membership);
    watch->wire = fd >= 0 ? fd : -1;
    if (fd < 0 || !epoll_add(watch, fd))
        wire_end(watch);
}

/* Take the wakes off the connection; false: it has ended. */
static bool wire_drain(const cb_watch *watch)
{
    char byte;
    ssize_t length;
    do
        length = recv(watch->wire, &byte, 1, MSG_DONTWAIT);
    while (length > 0 || (length < 0 && errno == EINTR));
    return length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static void drain(cb_watch *watch)
{
    uint64_t ticks;
    while (read(watch->timer, &ticks, sizeof ticks) < 0 && errno == EINTR)
        continue;
    if (watch->wire >= 0 && !wire_drain(watch))
        wire_end(watch);
}

/* ---- the memory ---- */

/* Begin with another memory. In one that was there before the watch, what has happened is the past. */
static int enter(cb_watch *watch, const struct membership *membership)
{
    struct event event;
    bool old = membership->segment.panel->created_ms <= watch->opened_ms;
    if (!gather_init(&watch->gather, &membership->segment, !membership->shared, GATHER_PATIENCE_MS))
        return fail(-ENOMEM, "no memory to watch %u breakers", membership->segment.capacity);
    watch->membership = membership;
    watch->next = old ? events_last(&membership->segment) + 1 : events_first(&membership->segment);
    for (uint32_t left = old ? membership->segment.journal_length : 0; left > 0; left--)
        if (!gather_next(&watch->gather, segment_now_ms(&membership->segment), &event))
            break;
    return 0;
}

/* Join the registry when it comes, follow it when it is replaced. */
static int follow(cb_watch *watch)
{
    const struct membership *current = registry_glanced_at(watch->registry);
    if (!current || current == watch->membership)
        return 0;
    gather_finish(&watch->gather);
    wire_end(watch);
    watch->retry_ms = 0;
    watch->membership = NULL;
    return enter(watch, current);
}

static bool is_wanted(const cb_watch *watch, const struct event *event)
{
    return !*watch->name || strncmp(watch->name, event->name, NAME_SIZE) == 0;
}

static int missed(cb_watch *watch, uint64_t first, struct event *out)
{
    *out = (struct event){.cause = CAUSE_MISSED, .value = first - watch->next, .uid = EVENT_NOBODY};
    out->from = out->to = STATE_UNKNOWN;
    out->time_ms = segment_now_ms(&watch->membership->segment);
    out->wall_ms = gather_wall_ms(&watch->membership->segment, out->time_ms);
    watch->next = first;
    return CB_MISSED;
}

/* The next of the written events: 0, CB_MISSED or -EAGAIN. What was shown from the journal before is not shown
 * again. */
static int next_written(cb_watch *watch, struct event *out)
{
    const struct segment *segment = &watch->membership->segment;
    while (watch->next <= events_last(segment)) {
        uint64_t first = events_first(segment);
        if (watch->next < first)
            return missed(watch, first, out);
        if (!events_read(segment, watch->next, out))
            continue; /* overwritten just now */
        watch->next++;
        bool known = gather_knows(&watch->gather, out);
        if (!known)
            gather_note(&watch->gather, out);
        if (!known && is_wanted(watch, out))
            return 0;
    }
    return -EAGAIN;
}

/* While the daemon is there, its events come soon, and with their numbers; if they do not, it is stopped. While it is
 * away, the journal is all there is. */
static int next_unwritten(cb_watch *watch, struct event *out)
{
    const struct segment *segment = &watch->membership->segment;
    watch->gather.hold_ms = watch->wire >= 0 ? HOLD_MS : 0;
    for (uint32_t left = segment->journal_length; left > 0; left--) {
        if (!gather_next(&watch->gather, segment_now_ms(segment), out))
            break;
        if (is_wanted(watch, out))
            return 0;
    }
    return -EAGAIN;
}

static int next_event(cb_watch *watch, struct event *out)
{
    if (!watch->membership)
        return -EAGAIN;
    int code = next_written(watch, out);
    return code == -EAGAIN ? next_unwritten(watch, out) : code;
}

/* ---- public ---- */

static int watch_prepare(cb_watch *watch)
{
    const struct itimerspec every = {.it_value = {.tv_nsec = LOOK_EVERY_MS * 1000000},
                                     .it_interval = {.tv_nsec = LOOK_EVERY_MS * 1000000}};
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (watch->epoll < 0 || watch->timer < 0 || timerfd_settime(watch->timer, 0, &every, NULL) < 0 ||
        !epoll_add(watch, watch->timer))
        return fail(-errno, "no descriptors for a watch: %s", strerrordesc_np(errno));
    const struct membership *membership = registry_looked_at(watch->registry);
    int code = membership ? enter(watch, membership) : 0;
    wire_begin(watch);
    return code;
}

int cb_watch_open(cb_registry *registry, const char *name, cb_watch **out)
{
    if (!registry || !out)
        return fail(-EINVAL, "cb_watch_open: a NULL argument");
    *out = NULL;
    if (name && !breaker_name_valid(name, strlen(name)))
        return fail(CB_ENAME, "a breaker's name is 1 to 63 bytes of A-Z a-z 0-9 . _ : / @ -");
    cb_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return fail(-ENOMEM, "no memory for a watch");
    watch->registry = registry;
    watch->process = process_number();
    watch->opened_ms = now_ms();
    watch->epoll = watch->timer = watch->wire = -1;
    strcpy(watch->name, name ? name : "");
    int code = watch_prepare(watch);
    if (code < 0)
        cb_watch_close(&watch);
    *out = watch;
    return code;
}

int cb_watch_fd(const cb_watch *watch)
{
    return watch ? watch->epoll : fail(-EINVAL, "cb_watch_fd: watch is NULL");
}

int cb_watch_connected(const cb_watch *watch)
{
    return watch && watch->wire >= 0;
}

/* First what is there; only then the descriptor is read empty, and looked once more: who waits for it misses
 * nothing. */
int cb_watch_next(cb_watch *watch, struct cb_event *out, size_t size)
{
    struct event event;
    struct cb_event full;
    if (!watch || !out || size == 0)
        return fail(-EINVAL, "cb_watch_next: a NULL argument or a size of 0");
    if (watch->process != process_number())
        return fail(CB_ENOTMINE, "the watch belongs to the process that opened it");
    int code = next_event(watch, &event);
    if (code == -EAGAIN) {
        drain(watch);
        code = follow(watch);
        wire_begin(watch);
        if (code == 0)
            code = next_event(watch, &event);
    }
    if (code < 0)
        return code;
    event_publish(&event, &full);
    memset(out, 0, size);
    memcpy(out, &full, size < sizeof full ? size : sizeof full);
    return code;
}

void cb_watch_close(cb_watch **handle)
{
    if (!handle || !*handle)
        return;
    cb_watch *watch = *handle;
    *handle = NULL;
    gather_finish(&watch->gather);
    if (watch->wire >= 0)
        close(watch->wire);
    if (watch->timer >= 0)
        close(watch->timer);
    if (watch->epoll >= 0)
        close(watch->epoll);
    free(watch);
}
