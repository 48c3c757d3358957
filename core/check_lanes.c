/* Damage to the lanes: who owns which chunk, and calls in flight that cannot be. */
#include "core/check.h"
#include "core/clock.h"
#include "core/lane.h"

#define CALL_UNUSED (UINT64_C(7) << 56) /* bits that no call has */
#define GONE_ONCE   (UINT32_C(1) << 16) /* in a remembered owner: counts the looks at which it was gone */
#define OWNER_MASK  (GONE_ONCE - 1)
#define SOON_MS     1000 /* two readers of the clock may be a tick apart */

bool check_header(const struct segment *segment)
{
    struct live_header *live = segment->live;
    bool damaged = live->magic != segment->panel->magic || live->identity != segment->panel->identity;
    if (damaged) {
        live->magic = segment->panel->magic;
        live->identity = segment->panel->identity;
    }
    return damaged;
}

/* A process that could not read /proc has no start time. */
bool check_record(uint64_t process, uint64_t now_ticks)
{
    return process_pid(process) != 0 && process_ticks(process) <= now_ticks;
}

static bool is_number(const struct segment *segment, uint32_t owner)
{
    return owner != 0 && owner <= segment->worker_count;
}

/* One that has come since its process was looked for has a record only. */
static bool is_there(const struct segment *segment, uint32_t owner, const uint64_t *living)
{
    return is_number(segment, owner) &&
           (living[owner - 1] != 0 ||
            atomic_load_explicit(&segment->workers[owner - 1].process, memory_order_acquire) != 0);
}

/* A worker has its number before its chunks and gives it back after them. So an owner that is not there is damage, if it
 * still stands there after that was looked at; and one that has gone while its worker lives is, unless that is giving
 * everything back just now: it is given a while. */
bool check_owner(const struct segment *segment, uint32_t chunk, struct lane_memory memory, bool wiped)
{
    uint32_t *remembered = &memory.owners[chunk], last = *remembered & OWNER_MASK;
    uint32_t found = atomic_load_explicit(&segment->owners[chunk], memory_order_acquire);
    bool lives = is_number(segment, last) && memory.living[last - 1] != 0;
    if (found == 0 ? !lives : is_there(segment, found, memory.living)) {
        *remembered = found;
        return false;
    }
    if (found == 0 && !wiped && *remembered / GONE_ONCE < CHECK_PATIENCE) {
        *remembered += GONE_ONCE;
        return false;
    }
    *remembered = lives ? last : 0;
    return atomic_compare_exchange_strong(&segment->owners[chunk], &found, *remembered);
}

/* An entry of nobody's chunk is free; one of somebody's is free or a call on a slot that there is. */
static uint64_t call_right(const struct segment *segment, uint64_t word, bool owned)
{
    bool busy = (word & CALL_BUSY) && owned && !(word & CALL_UNUSED) && (word & 0xffff) < segment->capacity;
    return busy ? word : call_freed(word);
}

static bool start_repair(const struct segment *segment, struct call *call)
{
    uint64_t now = segment_now_ms(segment), started = atomic_load_explicit(&call->started_ms, memory_order_relaxed);
    return started > now + SOON_MS && atomic_compare_exchange_strong(&call->started_ms, &started, now);
}

/* A chunk that was taken after we looked at its owner may hold a call by now: the owner again, behind the word. */
static bool call_repair(const struct segment *segment, const au32 *owner, struct call *call, bool owned)
{
    uint64_t word = atomic_load_explicit(&call->call, memory_order_acquire);
    owned |= atomic_load_explicit(owner, memory_order_acquire) != 0;
    uint64_t right = call_right(segment, word, owned);
    if (word != right)
        return atomic_compare_exchange_strong(&call->call, &word, right);
    return (word & CALL_TIMED) && start_repair(segment, call);
}

uint32_t check_calls(const struct segment *segment, uint32_t chunk, struct lane_memory memory)
{
    uint32_t repaired = 0;
    for (uint32_t i = 0; i < CHUNK_CALLS; i++)
        repaired +=
            call_repair(segment, &segment->owners[chunk], &segment->chunks[chunk].calls[i], memory.owners[chunk] != 0);
    return repaired;
}
