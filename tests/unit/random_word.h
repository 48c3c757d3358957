/* Repeatable random words for tests (xorshift); each test process starts at the same one. */
#ifndef TESTS_RANDOM_WORD_H
#define TESTS_RANDOM_WORD_H

#include <stdint.h>

static inline uint64_t random_word(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

#endif
