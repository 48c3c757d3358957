#include "tests/interleave/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/panel.h"
#include "tests/interleave/acts.h"

#define BEGIN_MS 1000000u

struct world world;
struct segment world_memory;
struct policy world_policy;
struct lane *world_lanes[CALLERS_MAX];
struct strand world_strands[STRANDS];

static struct world first; /* as it was created */
static void *first_live;   /* the memory that belongs to it */

static void watch_all(void)
{
    struct slot *slot = segment_slot(&world_memory, WORLD_SLOT);
    strand_watch_none();
    strand_watch(&slot->gate, sizeof slot->gate, "the gate", 0);
    strand_watch(&slot->streak, sizeof slot->streak, "the streak", 0);
    if (world.left.count)
        strand_watch(&slot->transitions, sizeof slot->transitions, "the transitions", 0);
    for (unsigned i = 0; i < world.left.callers; i++)
        strand_watch(world.callers[i].held.in_lane, sizeof(au64), "caller %u's call", i);
    for (unsigned i = 0; i < world_policy.max_concurrent; i++)
        strand_watch(&world_memory.places[i], sizeof(au64), "place %u", i);
}

static void breaker_create(void)
{
    char error[POLICY_ERROR_SIZE];
    uint32_t slot;
    cr_assert_eq(policy_parse(world.left.policy, &world_policy, error), 0, "%s", error);
    cr_assert_eq(panel_create(&world_memory, "breaker", &world_policy, 0, &slot, error), PANEL_CREATED, "%s", error);
    cr_assert_eq(slot, WORLD_SLOT);
}

/* A call before all others: afterwards a caller has its place in the lanes, and what it does is what shows in the
 * memory. */
static void caller_create(unsigned number)
{
    struct held *held = &world.callers[number].held;
    uint64_t commit = panel_commit(&world_memory, WORLD_SLOT);
    cr_assert_eq(lane_create(&world_lanes[number]), 0);
    cr_assert_eq(call_acquire(&world_memory, world_lanes[number], WORLD_SLOT, commit, held), ANSWER_ADMITTED);
    cr_assert_eq(call_settle(&world_memory, world_lanes[number], held, OUTCOME_SUCCESS, TOOK_MEASURED), CALL_SETTLED);
    cr_assert(held->in_lane);
    world.callers[number].entry = held->entry - 1;
}

void world_create(const struct scenario *s)
{
    struct geometry geometry = {1, 1, CALLERS_MAX, CALLERS_MAX, 8, 16, 1};
    memset(&world, 0, sizeof world);
    world.now_ms = BEGIN_MS;
    world.left = *s;
    cr_assert_eq(segment_private(&geometry, &world_memory), 0);
    world_memory.virtual_ms = &world.now_ms;
    breaker_create();
    for (unsigned i = 0; i < STRANDS; i++)
        strand_create(&world_strands[i]);
    for (unsigned i = 0; i < s->callers; i++)
        caller_create(i);
    watch_all();
    if (s->due) {
        operator_trips(NULL);
        world.now_ms += call_retry_after_ms(&world_memory, WORLD_SLOT);
    }
    first_live = malloc(world_memory.live_size);
    cr_assert(first_live);
    memcpy(first_live, world_memory.live, world_memory.live_size);
    first = world;
}

void world_destroy(void)
{
    strand_watch_none();
    for (unsigned i = 0; i < STRANDS; i++)
        strand_destroy(&world_strands[i]);
    for (unsigned i = 0; i < world.left.callers; i++)
        lane_destroy(&world_memory, world_lanes[i]);
    segment_close(&world_memory);
    free(first_live);
}

void world_begin(void)
{
    memcpy(&world, &first, sizeof world);
    memcpy(world_memory.live, first_live, world_memory.live_size);
    for (unsigned i = 0; i < STRANDS; i++)
        strand_kill(&world_strands[i]);
    for (unsigned i = 0; i < world.left.callers; i++)
        strand_begin(&world_strands[i], caller_asks, &world.callers[i], world.now_ms);
}

static uint64_t bytes_mix(uint64_t hash, const void *bytes, size_t size)
{
    const uint64_t *words = bytes;
    for (size_t i = 0; i < size / sizeof *words; i++)
        hash = hash_mix(hash, words[i]);
    return hash;
}

/* Not its number: callers are alike. */
static uint64_t caller_hash(unsigned number)
{
    const struct caller *caller = &world.callers[number];
    uint64_t hash =
        hash_mix(1, caller->phase | caller->died << 8 | caller->outcome << 16 | (uint64_t)caller->age << 32);
    hash = hash_mix(hash_mix(hash, caller->held.call), caller->held.place);
    hash = hash_mix(hash_mix(hash, caller->held.in_lane->call), caller->held.in_lane->started_ms);
    for (uint32_t i = 0; i < world_memory.place_count; i++)
        if ((uint32_t)world_memory.places[i] == caller->entry + 1)
            hash = hash_mix(hash_mix(hash, i), world_memory.places[i] >> 32);
    return hash_mix(hash, world_strands[number].history);
}

static uint64_t left_hash(const struct scenario *left)
{
    uint64_t hash = hash_mix(left->kills, left->daemon_kills);
    hash = hash_mix(hash_mix(hash, left->ticks), left->lapses);
    hash = hash_mix(hash_mix(hash, left->trips), left->resets);
    return hash_mix(hash, left->waits);
}

uint64_t world_hash(void)
{
    const struct slot *slot = segment_slot(&world_memory, WORLD_SLOT);
    const struct stripe *stripe = segment_stripe(&world_memory, WORLD_SLOT, 0);
    uint64_t hash = left_hash(&world.left), callers = 0;
    hash = hash_mix(hash_mix(hash, world.now_ms), world.age);
    hash = hash_mix(hash, (uint64_t)world.least << 32 | (uint32_t)world.most);
    hash = bytes_mix(hash, slot, offsetof(struct slot, ring_head));
    hash = bytes_mix(hash, stripe, offsetof(struct stripe, latency));
    hash = hash_mix(hash_mix(hash, world_strands[DAEMON].history), world_strands[OPERATOR].history);
    for (unsigned i = 0; i < world.left.callers; i++)
        callers += hash_mix(caller_hash(i), world_ticks() ? i : 0); /* a tick goes by their numbers */
    return hash_mix(hash, callers);
}

bool world_over(void)
{
    for (unsigned i = 0; i < world.left.callers; i++)
        if (world.callers[i].phase != DONE && world.callers[i].phase != BURIED)
            return false;
    return !world_strands[DAEMON].busy && !world_strands[OPERATOR].busy;
}

struct caller *world_reaped(void)
{
    for (unsigned i = 0; i < world.left.callers; i++)
        if (world.callers[i].phase == REAPED)
            return &world.callers[i];
    return NULL;
}

bool world_ticks(void)
{
    return world.left.ticks > 0 || (world_strands[DAEMON].busy && !world_reaped());
}
