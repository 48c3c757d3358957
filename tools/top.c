#include "top.h"

#include <curses.h>
#include <time.h>

#include "commands.h"
#include "registry.h"
#include "report.h"
#include "screen.h"
#include "top_draw.h"

#define LOOK_MS  1000
#define FIRST_MS 250 /* the second look: there are no rates before it */
#define CTRL_L   12

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Looking costs time where there are very many breakers: at most a tenth of it. */
static uint64_t look_again(struct top *top, uint64_t *next)
{
    uint64_t began = now_ms();
    int error = top_look(top, began);
    top->stale = false;
    if (error) {
        snprintf(top->message, sizeof top->message, "%s", cb_last_error());
        top->failed = true;
    }
    uint64_t took = now_ms() - began, pause = top->model.look == 1 ? FIRST_MS : LOOK_MS;
    *next = began + (pause > 10 * took ? pause : 10 * took);
    return began;
}

static void key_take(struct top *top, int key)
{
    if (key == CTRL_L)
        clearok(curscr, TRUE);
    else if (key >= 0 && key != KEY_RESIZE)
        top_key(top, key);
}

static void top_run(struct top *top, struct pulse *pulse)
{
    uint64_t next = 0;
    while (!top->quit && !screen_ended()) {
        uint64_t now = now_ms();
        top->beat = pulse_read(pulse);
        if (now >= next || top->stale)
            now = look_again(top, &next);
        top_draw(top, now);
        now = now_ms();
        key_take(top, screen_wait(next > now ? next - now : 0));
    }
}

int command_top(const struct options *options)
{
    struct top top = {.registry = NULL};
    int code = registry_open(options, &top.registry);
    if (code)
        return code;
    if (options->argc)
        snprintf(top.filter, sizeof top.filter, "%s", options->argv[0]);
    if (screen_open()) {
        struct pulse *pulse = pulse_start(cb_registry_name(top.registry));
        top_run(&top, pulse);
        pulse_stop(pulse);
        screen_close();
    } else {
        code = EXIT_FAILED;
    }
    top_free(&top);
    cb_detach(&top.registry);
    return code;
}
