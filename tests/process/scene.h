/*
 * Where stepped processes act: a registry in shared memory that can be put back as it was, so that the same act can be
 * cut short after each of its instructions. Its clock stands still unless the test moves it.
 */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include "core/segment.h"
#include "tests/process/step.h"

/* The memory at one moment: both objects, and the clock. */
struct image {
    char *panel, *live;
    uint64_t now_ms;
};

struct scene {
    struct segment segment; /* writable; it has no name any more, so that a failing test leaves nothing */
    uint64_t *now_ms;       /* its clock, shared as well */
};
extern struct scene scene;

void scene_begin(uint32_t capacity);
void scene_end(void);

void image_take(struct image *);
void image_put(const struct image *);
bool image_same(const struct image *); /* as the memory is now? */
void image_free(struct image *);

/* A moment of an act: so many instructions after it has changed the memory so often. (Counting from the last change
 * keeps it the same moment in every run, though a number or two that it works with may have more digits.) */
struct moment {
    uint32_t changes, instructions;
    uint32_t step; /* its number when the act was stepped through first, to speak of it */
};
/* The child goes there. */
void moment_reach(struct stepper *, struct moment);

struct moments {
    uint32_t count, steps; /* chosen; instructions in the whole act */
    struct moment *at;
};
/*
 * Step through the act once, from `before`, with `look` called before its first instruction and after each one; `look`
 * leaves the memory as it found it. Chosen are the moments just after each change of the memory: a death at any other
 * leaves it as one of these does. AROUND_CHANGES: just before each as well, for what a thread notes in its own memory
 * and the kernel reads (which robust mutex it is about to take). With CB_EVERY_STEP in the environment: all moments.
 */
enum choice { AFTER_CHANGES, AROUND_CHANGES };
void moments_survey(struct moments *, const struct image *before, void (*prepare)(void), void (*act)(void),
                    void (*look)(pid_t child, uint32_t step), enum choice);
void moments_free(struct moments *);

#endif
