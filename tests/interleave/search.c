#include "tests/interleave/search.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/interleave/moves.h"
#include "tests/interleave/rules.h"

#define DEPTH_MAX  400
#define FIRST_ROOM (1u << 16)

/* Hashes of states, open addressing; 64 bits: two states with the same are not to be expected. */
static struct {
    uint64_t *hashes;
    size_t room, count;
} seen;
static struct move path[DEPTH_MAX];

static bool seen_add(uint64_t hash);

static void seen_grow(void)
{
    uint64_t *old = seen.hashes;
    size_t room = seen.room;
    seen.room = room ? 2 * room : FIRST_ROOM;
    seen.hashes = calloc(seen.room, sizeof *seen.hashes);
    cr_assert(seen.hashes);
    seen.count = 0;
    for (size_t i = 0; i < room; i++)
        if (old[i])
            seen_add(old[i]);
    free(old);
}

/* True: it is new. */
static bool seen_add(uint64_t hash)
{
    hash |= hash == 0;
    if (2 * seen.count >= seen.room)
        seen_grow();
    size_t at = hash & (seen.room - 1);
    for (; seen.hashes[at]; at = (at + 1) & (seen.room - 1))
        if (seen.hashes[at] == hash)
            return false;
    seen.hashes[at] = hash;
    seen.count++;
    return true;
}

/* To the state before move number `depth` again. */
static void go_back(unsigned depth, uint64_t hash)
{
    world_begin();
    for (unsigned i = 0; i < depth; i++)
        move_make(path[i]);
    cr_assert_eq(world_hash(), hash, "the same moves have led elsewhere");
}

/* What has led here, for whoever reads of the failure. */
static void path_tell(unsigned depth)
{
    char what[64];
    world_begin();
    for (unsigned i = 0; i < depth; i++) {
        move_tell(path[i], what);
        move_make(path[i]);
        cr_log_error("%3u %-40s gate %016llx", i + 1, what, (unsigned long long)world_gate());
    }
}

static void must_hold(const char *wrong, unsigned depth)
{
    if (wrong)
        path_tell(depth);
    cr_assert_null(wrong, "%s", wrong);
}

static void search_from(unsigned depth);

static void search_move(struct move move, unsigned depth)
{
    uint64_t gate = world_gate(), age = world.age;
    const struct caller *settled = move_settles_for(move);
    path[depth] = move;
    move_make(move);
    must_hold(rules_move(gate, age, settled), depth + 1);
    search_from(depth + 1);
}

static void search_from(unsigned depth)
{
    struct move moves[MOVES_MAX];
    uint64_t hash = world_hash();
    if (!seen_add(hash))
        return;
    must_hold(depth < DEPTH_MAX ? rules_state() : "it does not end", depth);
    if (world_over())
        must_hold(rules_end(), depth);
    unsigned count = moves_list(moves);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            go_back(depth, hash);
        search_move(moves[i], depth);
    }
}

uint64_t search_all(const struct scenario *scenario)
{
    world_create(scenario);
    rules_begin();
    world_begin();
    search_from(0);
    uint64_t states = seen.count;
    free(seen.hashes);
    memset(&seen, 0, sizeof seen);
    world_destroy();
    return states;
}
