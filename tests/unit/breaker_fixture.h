/* One breaker, `slot`, in private memory with a clock of its own, and a lane to call it from. */
#ifndef TESTS_BREAKER_FIXTURE_H
#define TESTS_BREAKER_FIXTURE_H

#include <criterion/criterion.h>

#include "core/call.h"
#include "core/panel.h"

static struct segment segment;
static struct lane *lane;
static uint64_t clock_ms;
static uint32_t slot;

static uint32_t create(const char *name, const char *text)
{
    struct policy policy;
    char error[SEGMENT_ERROR_SIZE];
    uint32_t made;
    cr_assert_eq(policy_parse(text, &policy, error), 0, "%s", error);
    cr_assert_geq(panel_create(&segment, name, &policy, 0, &made, error), 0, "%s", error);
    return made;
}

/* `stripes`: 0 for as many as this machine needs. */
static void breaker_begin(uint32_t stripes, const char *policy)
{
    struct geometry geometry;
    geometry_default(&geometry, 16);
    geometry.stripes = stripes ? stripes : geometry.stripes;
    geometry.chunk_count = 64;
    geometry.worker_count = 8;
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    clock_ms = 1000000;
    segment.virtual_ms = &clock_ms;
    cr_assert_eq(lane_create(&lane), 0);
    slot = create("b", policy);
}

static void breaker_end(void)
{
    lane_destroy(&segment, lane);
    segment_close(&segment);
}

#endif
