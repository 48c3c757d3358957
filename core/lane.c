#include "core/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/call.h"

#define START_SPINS   1000
#define CHUNKS_BY_CPU 8 /* so many chunks a process takes just to keep its CPUs apart */
#define CHUNKS_TRIED  4 /* owned chunks that are looked through before another one is taken */

/* All of it is zero in a new process: mapped fresh, and wiped by the kernel in a forked child. */
struct lane {
    au64 identity; /* process_identity() once started */
    au32 starting;
    au32 worker; /* number + 1; 0: none was free */
    au32 owned_count;
    au32 cursor;
    struct {
        _Alignas(CACHE_LINE) au32 chunk; /* number + 1 */
    } hint[256];                         /* by stripe */
    au32 owned[];                        /* chunk number + 1, in the order taken; 0: being appended */
};

static size_t lane_size(const struct segment *segment)
{
    return sizeof(struct lane) + sizeof(au32) * (size_t)segment->chunk_count;
}

int lane_create(const struct segment *segment, struct lane **out)
{
    void *memory = mmap(NULL, lane_size(segment), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    if (madvise(memory, lane_size(segment), MADV_WIPEONFORK) != 0) {
        int error = -errno;
        munmap(memory, lane_size(segment));
        return error;
    }
    *out = memory;
    return 0;
}

uint64_t lane_identity(const struct lane *lane)
{
    return atomic_load_explicit(&lane->identity, memory_order_acquire);
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

static uint32_t worker_claim(const struct segment *segment, uint64_t identity)
{
    for (uint32_t i = 0; i < segment->worker_count; i++) {
        uint32_t number = ((uint32_t)process_pid(identity) + i) % segment->worker_count;
        uint64_t free_word = 0;
        if (atomic_compare_exchange_strong(&segment->workers[number].process, &free_word, identity))
            return number + 1;
    }
    return 0;
}

/* One thread starts the lane; the others wait for it a moment, and go untracked if it takes longer (it may be this
 * very thread, interrupted by a signal). */
bool lane_start(const struct segment *segment, struct lane *lane)
{
    uint32_t nobody = 0;
    if (atomic_compare_exchange_strong(&lane->starting, &nobody, 1)) {
        uint64_t identity = process_identity();
        atomic_store(&lane->worker, worker_claim(segment, identity));
        atomic_store_explicit(&lane->identity, identity, memory_order_release);
    }
    for (int i = 0; lane_identity(lane) == 0 && i < START_SPINS; i++)
        sched_yield();
    return lane_identity(lane) != 0 && atomic_load(&lane->worker) != 0;
}

static uint32_t chunk_claim_entry(const struct segment *segment, uint32_t chunk, uint64_t *word)
{
    struct call *calls = segment->chunks[chunk].calls;
    for (uint32_t i = 0; i < CHUNK_CALLS; i++) {
        uint64_t old = atomic_load_explicit(&calls[i].call, memory_order_relaxed);
        if (old & CALL_BUSY)
            continue;
        uint64_t sequence = ((old >> CALL_SEQUENCE_SHIFT) + 1) & CALL_SEQUENCE_MASK;
        uint64_t taken = *word | sequence << CALL_SEQUENCE_SHIFT;
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
    uint32_t worker = atomic_load(&lane->worker);
    uint32_t begin = worker * CHUNKS_BY_CPU;
    for (uint32_t i = 0; worker && i < segment->chunk_count; i++) {
        uint32_t chunk = (begin + i) % segment->chunk_count, free_word = 0;
        if (atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&segment->owners[chunk], &free_word, worker)) {
            uint32_t at = atomic_fetch_add(&lane->owned_count, 1);
            if (at < segment->chunk_count)
                atomic_store_explicit(&lane->owned[at], chunk + 1, memory_order_release);
            return chunk + 1;
        }
    }
    return 0;
}

static uint32_t owned_chunk(const struct segment *segment, struct lane *lane, uint32_t at)
{
    uint32_t chunk = at < segment->chunk_count ? atomic_load_explicit(&lane->owned[at], memory_order_acquire) : 0;
    return chunk <= segment->chunk_count ? chunk : 0;
}

static uint32_t lane_try(const struct segment *segment, struct lane *lane, unsigned stripe, uint32_t chunk,
                         uint64_t *word)
{
    uint32_t entry = chunk ? chunk_claim_entry(segment, chunk - 1, word) : LANE_NONE;
    if (entry != LANE_NONE)
        atomic_store_explicit(&lane->hint[stripe].chunk, chunk, memory_order_relaxed);
    return entry;
}

static uint32_t lane_claim_slowly(const struct segment *segment, struct lane *lane, unsigned stripe, uint64_t *word)
{
    if (lane_identity(lane) == 0)
        lane_start(segment, lane);
    uint32_t count = atomic_load(&lane->owned_count), entry = LANE_NONE;
    bool new_cpu = atomic_load_explicit(&lane->hint[stripe].chunk, memory_order_relaxed) == 0;
    if (count > 0 && !(new_cpu && count < CHUNKS_BY_CPU)) {
        uint32_t from = atomic_fetch_add_explicit(&lane->cursor, CHUNKS_TRIED, memory_order_relaxed);
        for (uint32_t i = 0; i < CHUNKS_TRIED && entry == LANE_NONE; i++)
            entry = lane_try(segment, lane, stripe, owned_chunk(segment, lane, (from + i) % count), word);
    }
    if (entry == LANE_NONE)
        entry = lane_try(segment, lane, stripe, chunk_take(segment, lane), word);
    for (uint32_t i = 0; i < count && entry == LANE_NONE; i++) /* the registry is out of chunks: what is ours must do */
        entry = lane_try(segment, lane, stripe, owned_chunk(segment, lane, i), word);
    uint32_t worker = atomic_load(&lane->worker);
    if (entry == LANE_NONE && worker)
        atomic_fetch_add(&segment->workers[worker - 1].untracked, 1);
    return entry;
}

uint32_t lane_claim(const struct segment *segment, struct lane *lane, unsigned stripe, uint64_t *word)
{
    uint32_t chunk = atomic_load_explicit(&lane->hint[stripe].chunk, memory_order_relaxed);
    if (__builtin_expect(chunk != 0, 1)) {
        uint32_t entry = chunk_claim_entry(segment, chunk - 1, word);
        if (__builtin_expect(entry != LANE_NONE, 1))
            return entry;
    }
    return lane_claim_slowly(segment, lane, stripe, word);
}

void lane_destroy(const struct segment *segment, struct lane *lane)
{
    if (!lane)
        return;
    uint32_t worker = atomic_load(&lane->worker);
    if (worker)
        worker_reap(segment, worker - 1);
    munmap(lane, lane_size(segment));
}
