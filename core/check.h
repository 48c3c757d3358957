/*
 * Finding and repairing damage in `live`: values that no program of ours ever writes there.
 *
 * Everybody who is attached can write to `live`, so anything may stand there. What can be told from a right value, by
 * itself or by the panel (which only the daemon writes), is put right by compare-and-swap, so that nobody who uses the
 * memory meanwhile is disturbed; what happens to look right stays, and heals as it would anyway: a probe's lease runs
 * out, a window fills anew, a call that nobody made ends with its process. Only the daemon checks.
 */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/segment.h"

/* What of a breaker was damaged; bits of a mask. */
#define DAMAGES(X)                                                                                                     \
    X(DAMAGE_STATE, 1, "state")                                                                                        \
    X(DAMAGE_STREAK, 2, "streak")                                                                                      \
    X(DAMAGE_COUNTS, 4, "counts")                                                                                      \
    X(DAMAGE_PLACES, 8, "places under max_concurrent")
#define DAMAGE_ENUM(symbol, bit, text) symbol = (bit),
enum damage { DAMAGES(DAMAGE_ENUM) };

/* A gate's word that cannot be, and what it has to be instead. */
struct gate_damage {
    uint64_t found, right;
};

/*
 * A slot's gate, streak and count of transitions: quickly done, for these decide about calls. *open_until is the latest
 * deadline that any policy of this slot has allowed so far: the caller keeps it from one check to the next (0 at first).
 * A state that cannot be has to become what the operator imposed, else closed, in the epoch behind the one that the
 * events know; that is for check_gate_repair(). A mask of enum damage; 0 also for a slot without a breaker.
 */
unsigned check_slot(const struct segment *, uint32_t number, uint64_t *open_until, struct gate_damage *);

/* Swap the right word in, as one transition. False: somebody has changed the gate meanwhile. */
bool check_gate_repair(const struct segment *, uint32_t number, struct gate_damage);

/* Its counters (no CPU counts to 2^52; what did is 0 again) and places (one that no call in flight holds is free again).
 * A mask of enum damage. */
unsigned check_counts(const struct segment *, uint32_t number);

/* What `live` says of itself, and what the joiners check. True: it was damaged. */
bool check_header(const struct segment *);

/* Can a worker's record be right? `now_ticks`: clock ticks since boot. */
bool check_record(uint64_t process, uint64_t now_ticks);

/* What the checker of a registry's lanes knows from memory of its own. */
struct lane_memory {
    uint32_t *owners;       /* by chunk: whose it was when it was last found right; 0 at first */
    const uint64_t *living; /* by worker number: the record of a process that is known to live, or 0 */
};

/* A chunk's owner. `wiped`: one that has gone is damage for certain (else it is if it stays gone for CHECK_PATIENCE
 * looks). True: it was put right. */
bool check_owner(const struct segment *, uint32_t chunk, struct lane_memory, bool wiped);
#define CHECK_PATIENCE 10

/* Is there anything for check_owner() to see? (Not that an owner has ended; who goes through all chunks now and then will
 * see that.) */
static inline bool check_owner_changed(const struct segment *segment, uint32_t chunk, struct lane_memory memory)
{
    return atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) != memory.owners[chunk];
}

/* A chunk's calls in flight, its owner being right. Returns how many words were put right. */
uint32_t check_calls(const struct segment *, uint32_t chunk, struct lane_memory);

#endif
