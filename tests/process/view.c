#include "tests/process/view.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>

#include "core/call.h"

void view_take(struct view *view)
{
    memset(view, 0, sizeof *view);
    for (uint32_t slot = 0; slot < VIEW_SLOTS; slot++) {
        view->used[slot] = panel_read(&scene.segment, slot, &view->copy[slot], NULL);
        view->found[slot] = view->used[slot] && panel_find(&scene.segment, view->copy[slot].name) == slot;
    }
}

/* But for when it was created: the wall clock does not stand still, and is another one in each round. */
static bool block_is(const struct view *view, const struct view *now, uint32_t slot)
{
    struct control_copy wanted = view->copy[slot];
    wanted.created_ms = now->copy[slot].created_ms;
    return view->used[slot] == now->used[slot] &&
           (!now->used[slot] || memcmp(&wanted, &now->copy[slot], sizeof wanted) == 0);
}

void view_between(const struct view *before, const struct view *after, uint32_t step)
{
    struct view now;
    view_take(&now);
    for (uint32_t slot = 0; slot < VIEW_SLOTS; slot++) {
        cr_assert(block_is(before, &now, slot) || block_is(after, &now, slot), "step %u: block %u is neither", step,
                  slot);
        uint64_t commit = panel_commit(&scene.segment, slot);
        cr_assert(!now.used[slot] || (commit & 0xfffe) == panel_traits(&now.copy[slot].policy), "step %u: traits",
                  step);
        cr_assert(now.found[slot] || !before->found[slot] || !after->found[slot], "step %u: %s is not found", step,
                  before->copy[slot].name);
    }
}

void view_same(const struct view *view, uint32_t step)
{
    struct view now;
    view_take(&now);
    for (uint32_t slot = 0; slot < VIEW_SLOTS; slot++) {
        const struct control_copy *is = &now.copy[slot], *was = &view->copy[slot];
        cr_assert_eq(now.used[slot], view->used[slot], "step %u: block %u", step, slot);
        cr_assert_str_eq(is->name, was->name, "step %u: block %u", step, slot);
        cr_assert_eq(memcmp(&is->policy, &was->policy, sizeof is->policy), 0, "step %u: block %u", step, slot);
        cr_assert_eq(memcmp(&is->override, &was->override, sizeof is->override), 0, "step %u: block %u", step, slot);
    }
}

void view_index(uint32_t step)
{
    uint32_t used = 0, entries = 0;
    for (uint32_t slot = 0; slot < VIEW_SLOTS; slot++) {
        struct control_copy copy;
        if (!panel_read(&scene.segment, slot, &copy, NULL))
            continue;
        used++;
        cr_assert_eq(panel_find(&scene.segment, copy.name), slot, "step %u: %s leads elsewhere", step, copy.name);
    }
    for (uint32_t at = 0; at < scene.segment.index_length; at++) {
        uint32_t entry = atomic_load(&scene.segment.index[at]);
        entries += entry != 0 && entry != INDEX_TOMB;
    }
    cr_assert_eq(entries, used, "step %u: %u entries lead to %u breakers", step, entries, used);
}

void view_places(uint32_t step)
{
    uint32_t holders[VIEW_PLACES] = {0};
    for (uint32_t slot = 0; slot < VIEW_SLOTS; slot++) {
        struct control_copy copy;
        if (!panel_read(&scene.segment, slot, &copy, NULL) || copy.place_length == 0)
            continue;
        cr_assert_geq(copy.place_length, copy.policy.max_concurrent);
        cr_assert_leq(copy.place_first + copy.place_length, scene.segment.panel->place_top, "step %u: top", step);
        for (uint32_t i = 0; i < copy.place_length; i++)
            cr_assert_eq(holders[copy.place_first + i]++, 0, "step %u: a place belongs to two", step);
    }
}

void view_worker_calls(struct lane *lane, uint32_t step)
{
    struct held held;
    struct rusage was, is;
    getrusage(RUSAGE_THREAD, &was);
    cr_assert_eq(call_acquire(&scene.segment, lane, 0, panel_commit(&scene.segment, 0), &held), ANSWER_ADMITTED);
    cr_assert_eq(call_settle(&scene.segment, lane, &held, OUTCOME_FAILURE, TOOK_MEASURED), CALL_SETTLED);
    cr_assert_eq(call_state(&scene.segment, 0), STATE_CLOSED, "step %u", step);
    getrusage(RUSAGE_THREAD, &is);
    cr_assert_eq(is.ru_nvcsw, was.ru_nvcsw, "step %u: a call has waited", step);
}
