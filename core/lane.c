#include "core/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/call.h"
#include "core/counters.h"
#include "core/guard.h"
#include "core/header.h"

#define START_SPINS        1000
#define CHUNKS_BY_CPU      8 /* so many chunks a process takes just to keep its CPUs apart */
#define LANE_CHUNKS_SHARED 65536
#define CHUNKS_TRIED       4 /* owned chunks that are looked through before another one is taken */

/* A thread's own chunk: a record is taken by a thread, its chunk stays with it. */
struct owned_record {
    au32 taken;
    au32 chunk; /* number + 1 */
};

/*
 * All of it is zero in a new process: mapped fresh, and wiped by the kernel in a forked child. All lanes have one size
 * and are never unmapped, only used again: a thread that exits may look at the lane of a registry detached long ago.
 */
struct lane {
    struct lane_head head;
    au32 starting;
    au32 worker; /* number + 1; 0: none was free */
    au32 owned_count;
    au32 cursor;
    void *guard; /* NULL: none */
    struct lane *next_unused;
    _Alignas(CACHE_LINE) struct owned_record records[LANE_THREADS];
    struct {
        _Alignas(CACHE_LINE) au32 chunk; /* number + 1 */
    } hint[256];                         /* by stripe */
    au32 owned[LANE_CHUNKS_SHARED];      /* chunk number + 1, in the order taken; 0: being appended */
};

_Thread_local struct ownership lane_ownership[LANE_REGISTRIES];

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static bool exit_known;
static au64 last_serial;
static _Atomic(struct lane *) unused_lanes;

/* The list is taken whole and what is not needed put back: nothing to go wrong when two do it at once. */
static struct lane *unused_take(void)
{
    struct lane *lane = atomic_exchange(&unused_lanes, NULL);
    struct lane *rest = lane ? lane->next_unused : NULL;
    while (rest) {
        struct lane *next = rest->next_unused;
        rest->next_unused = atomic_load(&unused_lanes);
        while (!atomic_compare_exchange_weak(&unused_lanes, &rest->next_unused, rest))
            ;
        rest = next;
    }
    return lane;
}

static void unused_put(struct lane *lane)
{
    lane->next_unused = atomic_load(&unused_lanes);
    while (!atomic_compare_exchange_weak(&unused_lanes, &lane->next_unused, lane))
        ;
}

int lane_create(struct lane **out)
{
    struct lane *lane = unused_take();
    if (!lane) {
        lane = mmap(NULL, sizeof *lane, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (lane == MAP_FAILED)
            return -errno;
        if (madvise(lane, sizeof *lane, MADV_WIPEONFORK) != 0) {
            int error = -errno;
            munmap(lane, sizeof *lane);
            return error;
        }
    }
    lane->next_unused = NULL;
    *out = lane;
    return 0;
}

uint32_t lane_worker(const struct lane *lane)
{
    return atomic_load_explicit(&lane->worker, memory_order_relaxed);
}

/* Field 22 of /proc/self/stat; the command in field 2 may hold anything, so counting begins behind its last ')'. */
static uint64_t start_ticks(void)
{
    char text[512];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

uint64_t process_identity(void)
{
    int saved = errno;
    uint64_t identity = start_ticks() << WORKER_PID_BITS | (uint64_t)getpid();
    errno = saved;
    return identity;
}

/* A number that is free, with its guard where there is one. */
static bool number_claim(const struct segment *segment, uint32_t number, uint64_t identity, void **guard)
{
    au64 *record = &segment->workers[number].process;
    uint64_t free_word = 0;
    if (atomic_load_explicit(record, memory_order_relaxed) != 0 || guard_take(segment, number, guard) == -EAGAIN)
        return false;
    if (*guard)
        identity |= WORKER_GUARDED;
    if (atomic_compare_exchange_strong(record, &free_word, identity))
        return true;
    guard_drop(*guard);
    return false;
}

static uint32_t worker_claim(const struct segment *segment, uint64_t identity, void **guard)
{
    int saved = errno;
    uint32_t claimed = 0;
    if (!header_numbers_here(segment->panel)) /* a child of a worker, in a PID namespace of its own */
        return 0;
    for (uint32_t i = 0; i < segment->worker_count && claimed == 0; i++) {
        uint32_t number = (process_pid(identity) + i) % segment->worker_count;
        if (number_claim(segment, number, identity, guard))
            claimed = number + 1;
    }
    errno = saved;
    return claimed;
}

/* One thread starts the lane; the others wait for it a moment, and go untracked if it takes longer (it may be this
 * very thread, interrupted by a signal). */
bool lane_start(const struct segment *segment, struct lane *lane)
{
    uint32_t nobody = 0;
    if (atomic_compare_exchange_strong(&lane->starting, &nobody, 1)) {
        uint64_t identity = process_identity();
        atomic_store(&lane->worker, worker_claim(segment, identity, &lane->guard));
        atomic_store_explicit(&lane->head.identity, identity, memory_order_release);
        atomic_store_explicit(&lane->head.serial, atomic_fetch_add(&last_serial, 1) + 1, memory_order_release);
    }
    for (int i = 0; lane_serial(lane) == 0 && i < START_SPINS; i++)
        sched_yield();
    return lane_serial(lane) != 0 && atomic_load(&lane->worker) != 0;
}

static uint32_t chunk_claim_shared(const struct segment *segment, uint32_t chunk, uint64_t *word)
{
    struct call *calls = segment->chunks[chunk].calls;
    for (uint32_t i = 0; i < CHUNK_CALLS; i++) {
        uint64_t old = atomic_load_explicit(&calls[i].call, memory_order_relaxed);
        if (old & CALL_BUSY)
            continue;
        uint64_t taken = *word | call_next_sequence(old);
        if (atomic_compare_exchange_strong_explicit(&calls[i].call, &old, taken, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            *word = taken;
            return chunk * CHUNK_CALLS + i;
        }
    }
    return LANE_NONE;
}

/* Another chunk from the registry: number + 1, or 0. */
static uint32_t chunk_take(const struct segment *segment, struct lane *lane)
{
    uint32_t worker = lane_worker(lane);
    uint32_t begin = worker * CHUNKS_BY_CPU;
    for (uint32_t i = 0; worker && i < segment->chunk_count; i++) {
        uint32_t chunk = (begin + i) % segment->chunk_count, free_word = 0;
        if (atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&segment->owners[chunk], &free_word, worker))
            return chunk + 1;
    }
    return 0;
}

/* One for all threads. */
static uint32_t chunk_take_shared(const struct segment *segment, struct lane *lane)
{
    if (atomic_load_explicit(&lane->owned_count, memory_order_relaxed) >= LANE_CHUNKS_SHARED)
        return 0;
    uint32_t chunk = chunk_take(segment, lane);
    if (chunk == 0)
        return 0;
    uint32_t at = atomic_fetch_add(&lane->owned_count, 1);
    if (at < LANE_CHUNKS_SHARED)
        atomic_store_explicit(&lane->owned[at], chunk, memory_order_release);
    return chunk;
}

static uint32_t owned_chunk(const struct segment *segment, struct lane *lane, uint32_t at)
{
    uint32_t chunk = at < LANE_CHUNKS_SHARED ? atomic_load_explicit(&lane->owned[at], memory_order_acquire) : 0;
    return chunk <= segment->chunk_count ? chunk : 0;
}

static uint32_t lane_try(const struct segment *segment, struct lane *lane, unsigned stripe, uint32_t chunk,
                         uint64_t *word)
{
    uint32_t entry = chunk ? chunk_claim_shared(segment, chunk - 1, word) : LANE_NONE;
    if (entry != LANE_NONE)
        atomic_store_explicit(&lane->hint[stripe].chunk, chunk, memory_order_relaxed);
    return entry;
}

static uint32_t lane_claim_any(const struct segment *segment, struct lane *lane, unsigned stripe, uint64_t *word)
{
    if (lane_serial(lane) == 0)
        lane_start(segment, lane);
    uint32_t count = atomic_load(&lane->owned_count), entry = LANE_NONE;
    if (count > LANE_CHUNKS_SHARED)
        count = LANE_CHUNKS_SHARED;
    bool new_cpu = atomic_load_explicit(&lane->hint[stripe].chunk, memory_order_relaxed) == 0;
    if (count > 0 && !(new_cpu && count < CHUNKS_BY_CPU)) {
        uint32_t from = atomic_fetch_add_explicit(&lane->cursor, CHUNKS_TRIED, memory_order_relaxed);
        for (uint32_t i = 0; i < CHUNKS_TRIED && entry == LANE_NONE; i++)
            entry = lane_try(segment, lane, stripe, owned_chunk(segment, lane, (from + i) % count), word);
    }
    if (entry == LANE_NONE)
        entry = lane_try(segment, lane, stripe, chunk_take_shared(segment, lane), word);
    for (uint32_t i = 0; i < count && entry == LANE_NONE; i++) /* the registry is out of chunks: what is ours must do */
        entry = lane_try(segment, lane, stripe, owned_chunk(segment, lane, i), word);
    uint32_t worker = atomic_load(&lane->worker);
    if (entry == LANE_NONE && worker)
        atomic_fetch_add(&segment->workers[worker - 1].untracked, 1);
    return entry;
}

static uint32_t lane_claim_shared(const struct segment *segment, struct lane *lane, unsigned stripe, uint64_t *word)
{
    uint32_t chunk = atomic_load_explicit(&lane->hint[stripe].chunk, memory_order_relaxed);
    uint32_t entry = chunk ? chunk_claim_shared(segment, chunk - 1, word) : LANE_NONE;
    return entry != LANE_NONE ? entry : lane_claim_any(segment, lane, stripe, word);
}

/* ---- a thread's own chunk ---- */

static void thread_exits(void *arg)
{
    struct ownership *own = arg;
    for (int i = 0; i < LANE_REGISTRIES; i++)
        if (own[i].record && lane_serial(own[i].lane) == own[i].serial)
            atomic_store_explicit(&own[i].record->taken, 0, memory_order_release);
}

static void exit_key_create(void)
{
    exit_known = pthread_key_create(&exit_key, thread_exits) == 0;
}

static struct owned_record *record_take(struct lane *lane)
{
    for (uint32_t i = 0; i < LANE_THREADS; i++) {
        uint32_t nobody = 0;
        if (atomic_load_explicit(&lane->records[i].taken, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&lane->records[i].taken, &nobody, 1))
            return &lane->records[i];
    }
    return NULL;
}

/* The first call of this thread in this registry (or in this process, after a fork). */
static void ownership_begin(const struct segment *segment, struct lane *lane, struct ownership *own)
{
    *own = (struct ownership){.lane = lane, .serial = lane_serial(lane)};
    pthread_once(&exit_once, exit_key_create);
    if (!exit_known || pthread_setspecific(exit_key, lane_ownership) != 0)
        return;
    own->record = record_take(lane);
    if (own->record && atomic_load(&own->record->chunk) == 0)
        atomic_store(&own->record->chunk, chunk_take(segment, lane));
    uint32_t chunk = own->record ? atomic_load(&own->record->chunk) : 0;
    if (chunk != 0 && chunk <= segment->chunk_count) {
        own->first = (chunk - 1) * CHUNK_CALLS;
        own->calls = segment->chunks[chunk - 1].calls;
        own->key = ~own->serial;
    }
}

static bool ownership_is(const struct ownership *own, const struct lane *lane)
{
    return own->lane == lane && own->serial == lane_serial(lane);
}

/* Never used, or of a lane that has ended. */
static bool ownership_stale(const struct ownership *own)
{
    return own->lane == NULL || own->serial != lane_serial(own->lane);
}

static struct ownership *ownership_find(const struct segment *segment, struct lane *lane)
{
    for (int i = 0; i < LANE_REGISTRIES; i++)
        if (ownership_is(&lane_ownership[i], lane))
            return &lane_ownership[i];
    for (int i = 0; i < LANE_REGISTRIES; i++) {
        if (!ownership_stale(&lane_ownership[i]))
            continue;
        ownership_begin(segment, lane, &lane_ownership[i]);
        return &lane_ownership[i];
    }
    return NULL;
}

static uint32_t lane_claim_own(const struct ownership *own, uint64_t *word)
{
    uint64_t old;
    uint32_t at = ownership_free_entry(own, &old);
    if (at == CHUNK_CALLS)
        return LANE_NONE;
    *word |= call_next_sequence(old);
    atomic_store_explicit(&own->calls[at].call, *word, memory_order_release);
    return own->first + at;
}

uint32_t lane_claim(const struct segment *segment, struct lane *lane, uint64_t *word)
{
    if (lane_serial(lane) == 0)
        lane_start(segment, lane);
    const struct ownership *own = lane_serial(lane) ? ownership_find(segment, lane) : NULL;
    uint32_t entry = own && own->calls ? lane_claim_own(own, word) : LANE_NONE;
    return entry != LANE_NONE ? entry : lane_claim_shared(segment, lane, stripe_here(segment), word);
}

void lane_destroy(const struct segment *segment, struct lane *lane)
{
    if (!lane)
        return;
    uint32_t worker = lane_worker(lane);
    if (worker)
        worker_reap(segment, worker - 1);
    guard_drop(lane->guard);
    atomic_store(&lane->head.serial, 0); /* no thread's record is its any more */
    madvise(lane, sizeof *lane, MADV_DONTNEED);
    unused_put(lane);
}
