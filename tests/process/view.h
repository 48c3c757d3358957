/* What readers find in the scene's panel, and what must hold of it wherever a writer was cut short. */
#ifndef TESTS_VIEW_H
#define TESTS_VIEW_H

#include "core/lane.h"
#include "core/panel.h"
#include "tests/process/scene.h"

#define VIEW_SLOTS  6u  /* the scene's capacity */
#define VIEW_PLACES 16u /* of the scene */

struct view {
    bool used[VIEW_SLOTS], found[VIEW_SLOTS]; /* found under its name */
    struct control_copy copy[VIEW_SLOTS];
};

void view_take(struct view *);

/* Every block is as in one of the two, and is found if it is found in both. */
void view_between(const struct view *before, const struct view *after, uint32_t step);
/* Every block has the name, policy and override of this one. */
void view_same(const struct view *, uint32_t step);
/* The index leads to every breaker, and nowhere else. */
void view_index(uint32_t step);
/* No bulkhead place belongs to two. */
void view_places(uint32_t step);

/* A worker calls the first breaker, which must be closed: it never waits. */
void view_worker_calls(struct lane *, uint32_t step);

#endif
