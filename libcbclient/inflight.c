/* Calls in flight: what the lanes hold. When a call began stands there too if it is a probe, holds a place or has a
 * call_timeout; of the others the daemon remembers when it saw them first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "core/clock.h"
#include "core/process.h"

struct flight {
    uint32_t entry, worker;
    uint64_t word, since_ms; /* 0: nobody knows */
    bool exact;
};

struct flights {
    const struct segment *segment;
    struct flight *all;
    size_t count, room;
    uint64_t *seen; /* by lane entry: when the daemon saw it first, above the sequence; 0: never */
    bool complete;  /* the daemon has told of all that had begun when it was asked */
};

/* ---- what the daemon has seen ---- */

static uint64_t sequence_of(uint64_t word)
{
    return word >> CALL_SEQUENCE_SHIFT & CALL_SEQUENCE_MASK;
}

#define SEEN_SHIFT 24 /* above CALL_SEQUENCE_MASK */

static uint32_t entry_count(const struct segment *segment)
{
    return segment->chunk_count * CHUNK_CALLS;
}

/* The entry to go on from; 0: that was all, or it makes no sense. */
static uint32_t page_take(struct flights *flights, const Cb__Sightings *page, uint32_t from)
{
    if (page->n_sequences != page->n_entries || page->n_since_ms != page->n_entries)
        return 0;
    for (size_t i = 0; i < page->n_entries; i++) {
        if (page->entries[i] < from || page->entries[i] >= entry_count(flights->segment))
            return 0;
        from = page->entries[i] + 1;
        flights->seen[page->entries[i]] = page->since_ms[i] << SEEN_SHIFT | (page->sequences[i] & CALL_SEQUENCE_MASK);
    }
    flights->complete = !page->more;
    return page->more && page->n_entries > 0 ? from : 0;
}

static void sightings_ask(struct flights *flights, cb_registry *registry)
{
    Cb__Calls calls = CB__CALLS__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    Cb__Reply *reply;
    request.kind_case = CB__REQUEST__KIND_CALLS;
    request.calls = &calls;
    do {
        if (wire_exchange(registry, &request, WIRE_DEADLINE_MS, &reply) < 0)
            return;
        bool answered = reply->kind_case == CB__REPLY__KIND_SIGHTINGS;
        calls.from = answered ? page_take(flights, reply->sightings, calls.from) : 0;
        cb__reply__free_unpacked(reply, NULL);
    } while (calls.from != 0);
}

/* ---- what the lanes hold ---- */

/* The start is written before the word says that it is one of these (see call.c). */
static bool start_is_written(uint64_t word)
{
    return !(word & CALL_PENDING) && (word & (CALL_PROBE | CALL_TIMED | CALL_PLACED));
}

static void flight_date(const struct flights *flights, struct flight *flight, uint64_t now_ms)
{
    uint64_t seen = flights->seen[flight->entry];
    flight->exact = start_is_written(flight->word);
    if (flight->exact)
        flight->since_ms =
            atomic_load_explicit(&lane_call(flights->segment, flight->entry)->started_ms, memory_order_relaxed);
    else if (seen && (seen & CALL_SEQUENCE_MASK) == sequence_of(flight->word))
        flight->since_ms = seen >> SEEN_SHIFT;
    else if (flights->complete) /* it has begun since the daemon was asked */
        flight->since_ms = now_ms;
}

static bool flights_grow(struct flights *flights)
{
    if (flights->count < flights->room)
        return true;
    size_t room = flights->room ? flights->room * 2 : 256;
    struct flight *all = realloc(flights->all, room * sizeof *all);
    if (!all)
        return false;
    flights->all = all;
    flights->room = room;
    return true;
}

static bool chunk_take(struct flights *flights, uint32_t chunk, uint32_t worker, uint64_t now_ms)
{
    for (uint32_t entry = chunk * CHUNK_CALLS; entry < (chunk + 1) * CHUNK_CALLS; entry++) {
        uint64_t word = atomic_load_explicit(&lane_call(flights->segment, entry)->call, memory_order_acquire);
        if (!(word & CALL_BUSY) || (word & 0xffff) >= flights->segment->capacity)
            continue;
        if (!flights_grow(flights))
            return false;
        struct flight *flight = &flights->all[flights->count++];
        *flight = (struct flight){.entry = entry, .worker = worker, .word = word};
        flight_date(flights, flight, now_ms);
    }
    return true;
}

static bool lanes_take(struct flights *flights)
{
    const struct segment *segment = flights->segment;
    uint64_t now_ms = segment_now_ms(segment);
    bool room = true;
    for (uint32_t chunk = 0; chunk < segment->chunk_count && room; chunk++) {
        uint32_t owner = atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed);
        if (owner != 0 && owner <= segment->worker_count)
            room = chunk_take(flights, chunk, owner - 1, now_ms);
    }
    return room;
}

/* Oldest first; those that nobody knows the age of come last. */
static int by_age(const void *a, const void *b)
{
    const struct flight *left = a, *right = b;
    uint64_t first = left->since_ms - 1, second = right->since_ms - 1; /* 0 becomes the largest */
    if (first != second)
        return first < second ? -1 : 1;
    return left->entry < right->entry ? -1 : left->entry > right->entry;
}

/* ---- telling ---- */

static struct cb_inflight inflight(const struct segment *segment, const struct flight *flight, uint64_t now_ms)
{
    struct cb_inflight call = {
        .age_ms = flight->since_ms == 0       ? UINT64_MAX
                  : now_ms > flight->since_ms ? now_ms - flight->since_ms
                                              : 0,
        .exact = flight->exact,
        .probe = (flight->word & CALL_PROBE) != 0,
        .place = (flight->word & CALL_PLACED) != 0,
    };
    struct control_copy block;
    if (panel_read(segment, flight->word & 0xffff, &block, NULL))
        memcpy(call.name, block.name, sizeof call.name);
    return call;
}

/* Their processes' names are asked for once each. */
static int flights_visit(const struct flights *flights, char (*commands)[COMMAND_SIZE], cb_inflight_visit *visit,
                         void *arg)
{
    const struct segment *segment = flights->segment;
    uint64_t now_ms = segment_now_ms(segment);
    int code = 0;
    for (size_t i = 0; i < flights->count && code == 0; i++) {
        const struct flight *flight = &flights->all[i];
        uint64_t process = atomic_load(&segment->workers[flight->worker].process);
        if (process == 0)
            continue;
        struct cb_inflight call = inflight(segment, flight, now_ms);
        char *command = commands[flight->worker];
        if (*command == '\0')
            process_command(process, command);
        call.pid = process_pid(process);
        memcpy(call.command, command, sizeof call.command);
        code = visit(&call, arg);
    }
    return code;
}

_Static_assert(sizeof((struct cb_inflight *)0)->command == COMMAND_SIZE, "a command fits");

static int flights_list(struct flights *flights, cb_inflight_visit *visit, void *arg)
{
    char(*commands)[COMMAND_SIZE] = calloc(flights->segment->worker_count, sizeof *commands);
    int code = commands && lanes_take(flights) ? 0 : fail(-ENOMEM, "no memory to list the calls in flight");
    if (code == 0 && flights->count > 0)
        qsort(flights->all, flights->count, sizeof *flights->all, by_age);
    if (code == 0)
        code = flights_visit(flights, commands, visit, arg);
    free(commands);
    free(flights->all);
    return code;
}

int cb_list_calls(cb_registry *registry, cb_inflight_visit *visit, void *arg)
{
    if (!registry || !visit)
        return fail(-EINVAL, "cb_list_calls: a NULL argument");
    const struct membership *membership = registry_looked_at(registry);
    if (!membership)
        return 0;
    struct flights flights = {.segment = &membership->segment};
    flights.seen = calloc(entry_count(flights.segment), sizeof *flights.seen);
    if (!flights.seen)
        return fail(-ENOMEM, "no memory to list the calls in flight");
    if (membership->shared)
        sightings_ask(&flights, registry);
    int code = flights_list(&flights, visit, arg);
    free(flights.seen);
    return code;
}
