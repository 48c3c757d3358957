#include "tests/process/scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct scene scene;

void scene_begin(uint32_t capacity)
{
    struct geometry geometry = {capacity, 1, 8, 16, 16, 16, 16};
    char name[64], error[SEGMENT_ERROR_SIZE];
    snprintf(name, sizeof name, "test-step-%d", (int)getpid());
    int result = segment_create(name, &geometry, (gid_t)-1, "", &scene.segment, error);
    cr_assert_eq(result, 0, "%s", error);
    segment_retire(name, &scene.segment);
    scene.now_ms = mmap(NULL, sizeof *scene.now_ms, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(scene.now_ms != MAP_FAILED);
    *scene.now_ms = 1000000;
    scene.segment.virtual_ms = scene.now_ms;
}

void scene_end(void)
{
    munmap(scene.now_ms, sizeof *scene.now_ms);
    segment_close(&scene.segment);
}

/* ---- images ---- */

void image_take(struct image *image)
{
    image->panel = realloc(image->panel, scene.segment.panel_size);
    image->live = realloc(image->live, scene.segment.live_size);
    cr_assert(image->panel && image->live);
    memcpy(image->panel, scene.segment.panel, scene.segment.panel_size);
    memcpy(image->live, scene.segment.live, scene.segment.live_size);
    image->now_ms = *scene.now_ms;
}

void image_put(const struct image *image)
{
    memcpy(scene.segment.panel_rw, image->panel, scene.segment.panel_size);
    memcpy(scene.segment.live, image->live, scene.segment.live_size);
    *scene.now_ms = image->now_ms;
}

bool image_same(const struct image *image)
{
    return memcmp(scene.segment.live, image->live, scene.segment.live_size) == 0 &&
           memcmp(scene.segment.panel, image->panel, scene.segment.panel_size) == 0;
}

void image_free(struct image *image)
{
    free(image->panel);
    free(image->live);
    *image = (struct image){0};
}

/* ---- moments ---- */

void moment_reach(struct stepper *stepper, struct moment moment)
{
    struct image last = {0};
    image_take(&last);
    while (moment.changes > 0) {
        cr_assert(stepper_step(stepper), "the act goes otherwise than before");
        if (!image_same(&last)) {
            moment.changes--;
            image_take(&last);
        }
    }
    while (moment.instructions-- > 0)
        cr_assert(stepper_step(stepper), "the act goes otherwise than before");
    image_free(&last);
}

static void moments_add(struct moments *moments, struct moment moment)
{
    struct moment *last = moments->count ? &moments->at[moments->count - 1] : NULL;
    if (last && last->changes == moment.changes && last->instructions == moment.instructions)
        return;
    moments->at = realloc(moments->at, (moments->count + 1) * sizeof *moments->at);
    cr_assert(moments->at);
    moments->at[moments->count++] = moment;
}

/* Where the child stands, one instruction after *moment. */
static void moments_note(struct moments *moments, struct moment *moment, struct image *last, enum choice choice)
{
    struct moment next = {moment->changes, moment->instructions + 1, moment->step + 1};
    bool changed = !image_same(last);
    if (changed) {
        next = (struct moment){moment->changes + 1, 0, moment->step + 1};
        image_take(last);
        if (choice == AROUND_CHANGES)
            moments_add(moments, *moment);
    }
    if (changed || getenv("CB_EVERY_STEP"))
        moments_add(moments, next);
    *moment = next;
}

void moments_survey(struct moments *moments, const struct image *before, void (*prepare)(void), void (*act)(void),
                    void (*look)(pid_t child, uint32_t step), enum choice choice)
{
    struct stepper child;
    struct moment moment = {0};
    struct image last = {0};
    *moments = (struct moments){0};
    image_put(before);
    stepper_start(&child, prepare, act);
    image_take(&last);
    moments_add(moments, moment);
    look(child.pid, 0);
    while (stepper_step(&child)) {
        moments_note(moments, &moment, &last, choice);
        look(child.pid, moment.step);
        cr_assert(image_same(&last), "the look has changed what it looked at");
    }
    moments->steps = moment.step;
    stepper_kill(&child);
    image_free(&last);
}

void moments_free(struct moments *moments)
{
    free(moments->at);
    *moments = (struct moments){0};
}
