/* Random numbers that a seed repeats. */
#ifndef CHAOS_DICE_H
#define CHAOS_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state; /* never 0 */
};

static inline struct dice dice_seeded(uint64_t seed)
{
    return (struct dice){(seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1};
}

/* 0 .. below - 1. */
static inline unsigned dice_roll(struct dice *dice, unsigned below)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return (unsigned)((dice->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static inline bool dice_percent(struct dice *dice, unsigned percent)
{
    return dice_roll(dice, 100) < percent;
}

#endif
