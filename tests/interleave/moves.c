#include "tests/interleave/moves.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/interleave/acts.h"

/* ---- what can come ---- */

static void add(struct move *moves, unsigned *count, enum move_kind kind, unsigned who)
{
    cr_assert_lt(*count, MOVES_MAX);
    moves[(*count)++] = (struct move){.kind = kind, .who = who};
}

static void caller_moves(struct move *moves, unsigned *count, unsigned who)
{
    const struct caller *caller = &world.callers[who];
    for (unsigned outcome = 0; caller->phase == IN_CALL && outcome < 32; outcome++)
        if (world.left.outcomes >> outcome & 1) {
            add(moves, count, SETTLE, who);
            moves[*count - 1].outcome = (enum outcome)outcome;
        }
    if (caller->phase < DONE && world.left.kills > 0)
        add(moves, count, KILL, who);
    if (caller->phase == DEAD && !world_strands[DAEMON].busy)
        add(moves, count, REAP, who);
}

/* Is its next access one to a word that nobody else looks at, whatever comes? Then it makes no difference whether it
 * comes before or after theirs: only what the strand itself does, or that it is killed, is to be tried. */
static bool is_private(unsigned who)
{
    const struct caller *caller = who < CALLERS_MAX ? &world.callers[who] : world_reaped();
    return world_strands[who].busy && who < OPERATOR && caller && !world_ticks() &&
           world_strands[who].at->word == caller->held.in_lane;
}

static unsigned private_moves(struct move *moves, unsigned who)
{
    unsigned count = 0;
    add(moves, &count, STEP, who);
    if (who < CALLERS_MAX && world.left.kills > 0)
        add(moves, &count, KILL, who);
    if (who == DAEMON && world.left.daemon_kills > 0)
        add(moves, &count, KILL_DAEMON, who);
    return count;
}

static void add_some(struct move *moves, unsigned *count, unsigned left, enum move_kind kind, unsigned who)
{
    if (left > 0)
        add(moves, count, kind, who);
}

static void other_moves(struct move *moves, unsigned *count)
{
    bool at_work = world_strands[DAEMON].busy, busy = world_strands[OPERATOR].busy;
    add_some(moves, count, at_work ? world.left.daemon_kills : 0, KILL_DAEMON, DAEMON);
    add_some(moves, count, at_work ? 0 : world.left.ticks, TICK, DAEMON);
    add_some(moves, count, at_work ? 0 : world.left.lapses, LAPSE, DAEMON);
    add_some(moves, count, busy ? 0 : world.left.trips, TRIP, OPERATOR);
    add_some(moves, count, busy ? 0 : world.left.resets, RESET, OPERATOR);
    add_some(moves, count, world.left.waits, WAIT, STRANDS);
}

unsigned moves_list(struct move moves[MOVES_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < STRANDS; i++)
        if (is_private(i))
            return private_moves(moves, i);
    for (unsigned i = 0; i < STRANDS; i++)
        if (world_strands[i].busy)
            add(moves, &count, STEP, i);
    for (unsigned i = 0; i < world.left.callers; i++)
        caller_moves(moves, &count, i);
    other_moves(moves, &count);
    return count;
}

/* What it was in may be counted or not, and what it was settling by its reaper as well. */
static void caller_dies(unsigned who)
{
    struct caller *caller = &world.callers[who];
    strand_kill(&world_strands[who]);
    world.left.kills--;
    world.most += caller->phase == SETTLING ? 2 : 1;
    caller->died = caller->phase;
    caller->phase = DEAD;
}

/* An outcome that it was about to apply may be lost with it. */
static void daemon_dies(void)
{
    strand_kill(&world_strands[DAEMON]);
    world.left.daemon_kills--;
    world.least--;
    if (world_reaped())
        world_reaped()->phase = DEAD;
}

static void step(unsigned who)
{
    struct strand *strand = &world_strands[who];
    uint64_t before = world_gate();
    bool at_gate = strand->at->word == &segment_slot(&world_memory, WORLD_SLOT)->gate;
    strand_step(strand, world.now_ms);
    world.age += gate_state(before) != gate_state(world_gate()) || gate_epoch(before) != gate_epoch(world_gate());
    if (who < CALLERS_MAX && at_gate && (world.callers[who].phase == ASKING || world.callers[who].phase == IN_CALL))
        world.callers[who].age = (uint32_t)world.age;
}

static void begin(unsigned who, void (*act)(void *), void *arg)
{
    strand_begin(&world_strands[who], act, arg, world.now_ms);
}

static void caller_makes(unsigned who, struct move move)
{
    struct caller *caller = &world.callers[who];
    if (move.kind == KILL) {
        caller_dies(who);
    } else if (move.kind == REAP) {
        caller->phase = REAPED;
        begin(DAEMON, daemon_reaps, caller);
    } else {
        caller->phase = SETTLING;
        caller->outcome = move.outcome;
        begin(who, caller_settles, caller);
    }
}

static void daemon_makes(enum move_kind kind)
{
    if (kind == KILL_DAEMON) {
        daemon_dies();
    } else if (kind == TICK) {
        world.left.ticks--;
        begin(DAEMON, daemon_ticks, NULL);
    } else {
        world.left.lapses--;
        begin(DAEMON, daemon_lapses, NULL);
    }
}

static void operator_makes(enum move_kind kind)
{
    unsigned *left = kind == TRIP ? &world.left.trips : &world.left.resets;
    --*left;
    begin(OPERATOR, kind == TRIP ? operator_trips : operator_resets, NULL);
}

static void time_passes(void)
{
    world.left.waits--;
    world.now_ms += world_policy.half_open_timeout_ms;
}

void move_make(struct move move)
{
    if (move.kind == STEP)
        step(move.who);
    else if (move.who < CALLERS_MAX)
        caller_makes(move.who, move);
    else if (move.who == DAEMON)
        daemon_makes(move.kind);
    else if (move.who == OPERATOR)
        operator_makes(move.kind);
    else
        time_passes();
}

/* ---- speaking of it ---- */

static const char *strand_name(unsigned who)
{
    static const char *const names[] = {"caller 0", "caller 1", "caller 2", "the daemon", "the operator", "time"};
    return names[who];
}

void move_tell(struct move move, char what[64])
{
    static const char *const kinds[] = {"goes to", "settles", "is killed", "is reaped", "is killed",
                                        "ticks",   "lapses",  "trips",     "resets",    "passes"};
    static const char *const outcomes[] = {"as a success", "as a failure", "as ignored", "as abandoned"};
    const char *where = move.kind == STEP ? world_strands[move.who].at->name : "";
    if (move.kind == SETTLE)
        where = outcomes[move.outcome];
    snprintf(what, 64, "%s %s %s", strand_name(move.who), kinds[move.kind], where);
}

const struct caller *move_settles_for(struct move move)
{
    const struct caller *caller = move.who < CALLERS_MAX ? &world.callers[move.who] : NULL;
    if (move.who == DAEMON)
        caller = world_reaped();
    bool settles = caller && (caller->phase == SETTLING || (caller->phase == REAPED && caller->died != ASKING));
    return move.kind == STEP && settles ? caller : NULL;
}
