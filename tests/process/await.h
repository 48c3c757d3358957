/* Waiting for what has no descriptor: asked for again and again, with an end. */
#ifndef TESTS_AWAIT_H
#define TESTS_AWAIT_H

#include <criterion/criterion.h>
#include <poll.h>
#include <stdint.h>
#include <time.h>

#include "tests/harness.h"

static inline uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

#define wait_until(condition)                                                                                          \
    do {                                                                                                               \
        uint64_t until_us = now_us() + HARNESS_DEADLINE_MS * 1000u;                                                    \
        while (!(condition)) {                                                                                         \
            cr_assert(now_us() < until_us, "did not come: %s", #condition);                                            \
            poll(NULL, 0, 1);                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
