/* The panel's contents: creating, finding, changing, removing, and whose memory a new breaker gets. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "core/gate.h"
#include "core/panel.h"

static struct segment segment;
static struct policy plain;
static char error[SEGMENT_ERROR_SIZE];

static void begin_with(uint32_t capacity, uint32_t places)
{
    struct geometry geometry = {capacity, 1, 1, 1, places, 1, 1};
    segment_close(&segment);
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    plain = (struct policy){.failure_threshold = 5, .open_timeout_ms = 1000};
}

static void begin(void)
{
    begin_with(8, 16);
}

static void end(void)
{
    segment_close(&segment);
}

TestSuite(panel, .init = begin, .fini = end);

static uint32_t created_with(const char *name, const struct policy *policy)
{
    uint32_t slot = UINT32_MAX;
    int result = panel_create(&segment, name, policy, 7, &slot, error);
    cr_assert_eq(result, PANEL_CREATED, "%s: %d %s", name, result, error);
    return slot;
}

static uint32_t created(const char *name)
{
    return created_with(name, &plain);
}

static uint32_t limited(const char *name, uint32_t places)
{
    struct policy policy = plain;
    policy.max_concurrent = places;
    return created_with(name, &policy);
}

static struct control_copy block(uint32_t slot)
{
    struct control_copy copy;
    cr_assert(panel_read(&segment, slot, &copy, NULL), "slot %u is free", (unsigned)slot);
    return copy;
}

Test(panel, what_was_created_is_found)
{
    uint32_t a = created("a"), b = created("b"), again;
    cr_assert_neq(a, b);
    cr_assert_eq(panel_find(&segment, "a"), a);
    cr_assert_eq(panel_find(&segment, "b"), b);
    cr_assert_eq(panel_find(&segment, "c"), -1);
    cr_assert_eq(panel_find(&segment, ""), -1);
    cr_assert_eq(panel_create(&segment, "a", &plain, 0, &again, error), PANEL_FOUND);
    cr_assert_eq(again, a);
    struct control_copy copy = block(a);
    cr_assert_str_eq(copy.name, "a");
    cr_assert_eq(copy.creator_uid, 7);
    cr_assert_eq(copy.override.state, 0);
    cr_assert_eq(memcmp(&copy.policy, &plain, sizeof plain), 0);
}

Test(panel, found_keeps_the_policy_it_has)
{
    struct policy other = plain;
    uint32_t a = created("a"), again;
    other.failure_threshold = 99;
    cr_assert_eq(panel_create(&segment, "a", &other, 0, &again, error), PANEL_FOUND);
    cr_assert_eq(block(a).policy.failure_threshold, 5);
}

Test(panel, names)
{
    static char longest[10001];
    uint32_t slot;
    memset(longest, 'n', 10000);
    static const char *const bad[] = {"", "a b", "a\n", longest};
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(panel_create(&segment, bad[i], &plain, 0, &slot, error), SEGMENT_ENAME);
    cr_assert_eq(panel_find(&segment, longest), -1);
    longest[64] = '\0';
    cr_assert_eq(panel_create(&segment, longest, &plain, 0, &slot, error), SEGMENT_ENAME);
    longest[63] = '\0';
    slot = created(longest);
    cr_assert_eq(panel_find(&segment, longest), slot);
    longest[62] = '\0';
    cr_assert_eq(panel_find(&segment, longest), -1);
}

Test(panel, full)
{
    uint32_t slot;
    char name[32];
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "b%d", i);
        created(name);
    }
    cr_assert_eq(panel_create(&segment, "one-more", &plain, 0, &slot, error), -ENOSPC);
    cr_assert(strstr(error, "8 breakers") && strstr(error, "--capacity"), "%s", error);
    cr_assert_eq(panel_find(&segment, "one-more"), -1);
    cr_assert_eq(panel_create(&segment, "b3", &plain, 0, &slot, error), PANEL_FOUND);
    cr_assert_eq(panel_remove(&segment, slot), 0);
    cr_assert_eq(created("one-more"), slot);
}

Test(panel, as_many_as_there_can_be)
{
    enum { ALL = 65536 };
    char name[32];
    uint32_t slot;
    begin_with(ALL, 1);
    for (int i = 0; i < ALL; i++) {
        snprintf(name, sizeof name, "breaker-%d", i);
        created(name);
    }
    cr_assert_eq(panel_create(&segment, "x", &plain, 0, &slot, error), -ENOSPC);
    cr_expect(strstr(error, "cbctl remove") && !strstr(error, "--capacity"), "%s", error); /* there is no larger one */
    for (int i = 0; i < ALL; i++) {
        snprintf(name, sizeof name, "breaker-%d", i);
        int64_t found = panel_find(&segment, name);
        cr_assert(found >= 0 && strcmp(block((uint32_t)found).name, name) == 0, "%s", name);
    }
    cr_assert_eq(panel_recover(&segment), ALL);
    cr_assert_geq(panel_find(&segment, "breaker-65535"), 0);
}

Test(panel, removed)
{
    uint32_t a = created("a");
    struct control_copy copy;
    struct policy_view view;
    cr_assert_eq(panel_remove(&segment, a), 0);
    cr_assert_eq(panel_find(&segment, "a"), -1);
    cr_assert(!panel_read(&segment, a, &copy, NULL));
    cr_assert(!panel_policy(&segment, a, &view));
    cr_assert_eq(panel_commit(&segment, a) & TRAIT_USED, 0);
    cr_assert_eq(panel_remove(&segment, a), -ENOENT);
    cr_assert_eq(panel_set_policy(&segment, a, &plain, error), -ENOENT);
    cr_assert_eq(panel_set_override(&segment, a, &(struct override){.state = 3}), -ENOENT);
}

Test(panel, slots_that_are_none)
{
    struct control_copy copy;
    struct policy_view view;
    cr_assert(!panel_read(&segment, 8, &copy, NULL));
    cr_assert(!panel_read(&segment, UINT32_MAX, &copy, NULL));
    cr_assert(!panel_policy(&segment, 8, &view));
    cr_assert_eq(panel_remove(&segment, 8), -ENOENT);
}

/* The slot's next breaker shares nothing with the one before: incarnation, epoch and window are others, counts are 0. */
Test(panel, a_slot_is_used_again)
{
    uint32_t a = created("a");
    struct slot *live = segment_slot(&segment, a);
    struct stripe *stripe = segment_stripe(&segment, a, 0);
    struct control_copy first = block(a);
    uint64_t commit = panel_commit(&segment, a), gate = atomic_load(&live->gate);
    panel_set_override(&segment, a, &(struct override){.state = STATE_DISABLED, .reason = "x"});
    memset((char *)live + offsetof(struct slot, streak), 0xee, segment.slot_stride - offsetof(struct slot, streak));
    atomic_store(&live->gate, gate | UINT64_C(1) << 61);
    cr_assert_eq(panel_remove(&segment, a), 0);
    cr_assert_eq(created("b"), a);
    struct control_copy second = block(a);
    cr_assert_eq(second.incarnation, first.incarnation + 1);
    cr_assert_neq(second.window_id, first.window_id);
    cr_assert_neq(commit_incarnation(panel_commit(&segment, a)), commit_incarnation(commit));
    cr_assert_eq(second.override.state, STATE_CLOSED);
    cr_assert_str_eq(second.override.reason, "");
    cr_assert_eq(gate_state(atomic_load(&live->gate)), STATE_CLOSED);
    cr_assert_neq(gate_epoch(atomic_load(&live->gate)), gate_epoch(gate));
    cr_assert_eq(atomic_load(&live->streak) + atomic_load(&live->abandoned) + atomic_load(&live->overdue), 0);
    cr_assert_eq(atomic_load(&live->ring_head) + atomic_load(&live->ring[0]) + atomic_load(&live->ring[1023]), 0);
    cr_assert_eq(atomic_load(&live->transitions), gate_epoch(atomic_load(&live->gate)));
    cr_assert_eq(atomic_load(&stripe->successes) + atomic_load(&stripe->rejected_concurrency), 0);
    cr_assert_eq(atomic_load(&stripe->latency[LATENCY_BUCKETS - 1]), 0);
    cr_assert_eq(atomic_load(&stripe->periods[WINDOW_PERIODS - 1].slow), 0);
}

Test(panel, the_incarnation_goes_on_beyond_what_the_commit_word_holds)
{
    uint32_t slot = 0;
    for (uint32_t i = 1; i <= 65537; i++) {
        slot = created("a");
        cr_assert_eq(block(slot).incarnation, i);
        cr_assert_eq(commit_incarnation(panel_commit(&segment, slot)), (uint16_t)i);
        cr_assert_eq(panel_remove(&segment, slot), 0);
    }
}

Test(panel, the_neighbour_is_not_touched)
{
    uint32_t a = created("a"), b = created("b");
    atomic_store(&segment_slot(&segment, b)->streak, 3);
    atomic_store(&segment_stripe(&segment, b, 0)->failures, 4);
    panel_remove(&segment, a);
    created("c");
    cr_assert_eq(atomic_load(&segment_slot(&segment, b)->streak), 3);
    cr_assert_eq(atomic_load(&segment_stripe(&segment, b, 0)->failures), 4);
}

/* Removing and creating for ever: the index does not fill with tombs, the search for a free slot does not lose any. */
Test(panel, churn)
{
    char name[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "job-%d", i);
        uint32_t slot = created(name);
        if (i % 8 == 7)
            for (uint32_t other = 0; other < 8; other++)
                cr_assert_eq(panel_remove(&segment, other), 0, "slot %u in round %d", (unsigned)other, i);
        else
            cr_assert_eq(panel_find(&segment, name), slot);
    }
    for (uint32_t position = 0; position < segment.index_length; position++)
        cr_assert_eq(atomic_load(&segment.index[position]), 0, "a tomb is left");
}

Test(panel, a_new_policy)
{
    struct policy policy = plain;
    struct policy_view view;
    uint32_t a = created("a");
    uint64_t before = panel_commit(&segment, a);
    segment_slot(&segment, a)->gate = UINT64_C(1) << 61;
    policy.failure_threshold = 6;
    cr_assert_eq(panel_set_policy(&segment, a, &policy, error), 0, "%s", error);
    cr_assert(panel_policy(&segment, a, &view));
    cr_assert_eq(view.policy.failure_threshold, 6);
    cr_assert_eq(segment_slot(&segment, a)->gate, UINT64_C(1) << 61, "the gate keeps its state");
    cr_assert_eq(commit_incarnation(panel_commit(&segment, a)), commit_incarnation(before));
    cr_assert_eq(panel_commit(&segment, a) >> 32, (before >> 32) + 1);
    cr_assert_neq(panel_commit(&segment, a) & 1, before & 1, "the other copy");
}

Test(panel, the_window_id_grows_with_another_window_only)
{
    struct policy policy = plain;
    uint32_t a = created("a"), first = block(a).window_id;
    policy.failure_threshold = 6;
    panel_set_policy(&segment, a, &policy, error);
    cr_assert_eq(block(a).window_id, first);
    policy.window = WINDOW_COUNT;
    policy.window_size = 10;
    panel_set_policy(&segment, a, &policy, error);
    cr_assert_eq(block(a).window_id, first + 1);
    policy.window_size = 20;
    panel_set_policy(&segment, a, &policy, error);
    cr_assert_eq(block(a).window_id, first + 2);
}

Test(panel, an_override_keeps_the_rest)
{
    struct override imposed = {.state = STATE_FORCED_OPEN, .uid = 3, .pid = 4, .until_ms = 5, .reason = "maintenance"};
    uint32_t a = created("a");
    cr_assert_eq(panel_set_override(&segment, a, &imposed), 0);
    struct control_copy copy = block(a);
    cr_assert_eq(memcmp(&copy.override, &imposed, sizeof imposed), 0);
    cr_assert_str_eq(copy.name, "a");
    cr_assert_eq(memcmp(&copy.policy, &plain, sizeof plain), 0);
}

Test(panel, traits)
{
    struct policy policy = {.timing = TIMING_COARSE, .window = WINDOW_COUNT};
    cr_assert_eq(panel_traits(&plain), TRAIT_USED);
    cr_assert_eq(panel_traits(&policy), TRAIT_USED | TRAIT_TIMED_COARSE | TRAIT_WINDOW_COUNT);
    policy = (struct policy){.timing = TIMING_PRECISE,
                             .window = WINDOW_TIME,
                             .call_timeout_ms = 1,
                             .max_concurrent = 1,
                             .slow_call_duration_ms = 1};
    cr_assert_eq(panel_traits(&policy), TRAIT_USED | TRAIT_TIMED_PRECISE | TRAIT_WINDOW_TIME | TRAIT_CALL_TIMEOUT |
                                            TRAIT_LIMITED | TRAIT_SLOW);
    cr_assert_eq(panel_commit(&segment, created_with("a", &policy)) & 0xfffe, panel_traits(&policy));
}

/* ---- reading while it is written ---- */

static uint32_t subject;
static volatile sig_atomic_t interruptions;

static struct policy uniform(uint32_t value)
{
    struct policy policy = {.failure_threshold = value, .open_timeout_ms = value};
    policy.call_timeout_ms = policy.half_open_timeout_ms = value;
    return policy;
}

/* Two commits: the second one writes over the copy that is being read. */
static void commit_twice(int signal)
{
    (void)signal;
    for (int i = 0; i < 2; i++) {
        struct policy policy = uniform((uint32_t)interruptions * 2 + (uint32_t)i);
        panel_set_policy(&segment, subject, &policy, error);
    }
    interruptions = interruptions + 1;
}

/* The writer comes in the middle of the reader's instructions, wherever the timer strikes. */
Test(panel, a_read_that_was_overtaken_is_made_again)
{
    struct itimerval often = {{0, 40}, {0, 40}}, never = {{0, 0}, {0, 0}};
    struct policy_view view;
    struct policy first = uniform(0);
    subject = created_with("subject", &first);
    signal(SIGALRM, commit_twice);
    setitimer(ITIMER_REAL, &often, NULL);
    while (interruptions < 3000) {
        cr_assert(panel_policy(&segment, subject, &view));
        struct policy whole = uniform(view.policy.failure_threshold);
        cr_assert_eq(memcmp(&whole, &view.policy, sizeof whole), 0, "after %d interruptions", (int)interruptions);
    }
    setitimer(ITIMER_REAL, &never, NULL);
}

/* ---- bulkhead places ---- */

Test(panel, extents_do_not_overlap_and_gaps_are_used)
{
    uint32_t a = limited("a", 6), b = limited("b", 6), c = limited("c", 4);
    cr_assert_eq(block(a).place_first, 0);
    cr_assert_eq(block(b).place_first, 6);
    cr_assert_eq(block(c).place_first, 12);
    panel_remove(&segment, b);
    cr_assert_eq(block(limited("d", 2)).place_first, 6);
    cr_assert_eq(block(limited("e", 4)).place_first, 8);
    cr_assert_eq(block(created("f")).place_length, 0);
}

Test(panel, not_enough_places)
{
    struct policy policy = plain;
    struct control_copy before;
    uint32_t slot, a = limited("a", 10), b = limited("b", 2);
    policy.max_concurrent = 5;
    cr_assert_eq(panel_create(&segment, "c", &policy, 0, &slot, error), -ENOSPC);
    cr_assert(strstr(error, "max_concurrent=5") && strstr(error, "at most 4"), "%s", error);
    cr_assert_eq(panel_find(&segment, "c"), -1);
    before = block(b);
    policy.max_concurrent = 7;
    cr_assert_eq(panel_set_policy(&segment, b, &policy, error), -ENOSPC);
    struct control_copy after = block(b);
    cr_assert_eq(memcmp(&before, &after, sizeof before), 0, "a policy that finds no room changes nothing");
    panel_remove(&segment, a);
    cr_assert_eq(panel_set_policy(&segment, b, &policy, error), 0, "%s", error);
    cr_assert_eq(block(b).place_first, 0);
    cr_assert_eq(block(b).past_first, 10, "whoever holds a place there still counts");
    cr_assert_eq(block(b).past_length, 2);
}

Test(panel, an_extent_that_is_the_last_grows_where_it_is)
{
    struct policy policy = plain;
    uint32_t a = limited("a", 2), b = limited("b", 3);
    policy.max_concurrent = 6;
    cr_assert_eq(panel_set_policy(&segment, b, &policy, error), 0);
    cr_assert_eq(block(b).place_first, 2);
    cr_assert_eq(block(b).place_length, 6);
    cr_assert_eq(block(b).past_length, 0);
    cr_assert_eq(block(a).place_first, 0);
}

Test(panel, an_extent_does_not_move_twice_under_its_holders)
{
    struct policy policy = plain;
    uint32_t a = limited("a", 1);
    limited("b", 1);
    atomic_store(&segment.places[0], 99);
    policy.max_concurrent = 2;
    cr_assert_eq(panel_set_policy(&segment, a, &policy, error), 0);
    limited("c", 1);
    policy.max_concurrent = 3;
    cr_assert_eq(panel_set_policy(&segment, a, &policy, error), -EBUSY);
    cr_assert(strstr(error, "try again"), "%s", error);
    atomic_store(&segment.places[0], 0);
    cr_assert_eq(panel_set_policy(&segment, a, &policy, error), 0, "%s", error);
}

Test(panel, an_extent_grows_by_moving_and_never_shrinks)
{
    struct policy policy = plain;
    uint32_t a = limited("a", 4);
    policy.max_concurrent = 2;
    panel_set_policy(&segment, a, &policy, error);
    cr_assert_eq(block(a).place_length, 4, "holders stay where they are");
    policy.max_concurrent = 0;
    panel_set_policy(&segment, a, &policy, error);
    cr_assert_eq(block(a).place_length, 4);
    cr_assert_geq(block(limited("b", 4)).place_first, 4, "still its own");
    for (uint32_t place = 8; place < 16; place++)
        atomic_store(&segment.places[place], 99);
    policy.max_concurrent = 5;
    panel_set_policy(&segment, a, &policy, error);
    cr_assert_eq(block(a).place_first, 8);
    cr_assert_eq(block(a).place_length, 5);
    for (uint32_t place = 8; place < 13; place++)
        cr_assert_eq(atomic_load(&segment.places[place]), 0, "a fresh extent is empty");
    cr_assert_eq(atomic_load(&segment.places[13]), 99);
}

Test(panel, recovery_knows_which_places_are_taken)
{
    limited("a", 6);
    uint32_t b = limited("b", 6);
    panel_remove(&segment, b);
    segment.panel_rw->place_top = 0; /* as if it had never been written */
    cr_assert_eq(panel_recover(&segment), 1);
    cr_assert_eq(segment.panel_rw->place_top, 6);
    cr_assert_eq(block(limited("c", 10)).place_first, 6);
}

Test(panel, recovery_rebuilds_a_scribbled_index)
{
    char name[32];
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "b%d", i);
        created(name);
    }
    for (uint32_t position = 0; position < segment.index_length; position++)
        atomic_store((au32 *)&segment.index[position], position * 2654435761u % 12);
    cr_assert_eq(panel_recover(&segment), 7);
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "b%d", i);
        int64_t slot = panel_find(&segment, name);
        cr_assert(slot >= 0 && strcmp(block((uint32_t)slot).name, name) == 0, "%s is lost", name);
    }
    cr_assert_eq(panel_find(&segment, "b7"), -1);
}
