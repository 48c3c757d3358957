/* `cbctl top`: the breakers of a registry, live, and an operator's hand on them. What it holds and what keys do to it;
 * top_draw.c puts it on the screen, top.c runs it. */
#ifndef TOOLS_TOP_H
#define TOOLS_TOP_H

#include <stdbool.h>
#include <stdio.h>

#include "pulse.h"
#include "top_model.h"
#include "top_order.h"

enum top_page { PAGE_TABLE, PAGE_DETAILS, PAGE_HELP };

/* What is asked for at the bottom of the screen. */
enum top_prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_OVERRIDE, PROMPT_DURATION, PROMPT_REASON, PROMPT_CONFIRM };

enum top_act { ACT_TRIP, ACT_RESET, ACT_FORCE_OPEN, ACT_DISABLE, ACT_METRICS_ONLY, ACT_AUTO, ACT_COUNT };

#define TOP_INPUT 128 /* what can be typed, with its terminator: as much as a reason may be */

/* What an operator is about to do. */
struct top_action {
    enum top_act act;
    char name[64];
    uint64_t for_ms; /* of an override; 0: until it is ended */
    char reason[TOP_INPUT];
};

struct top {
    cb_registry *registry;
    struct pulse_beat beat;
    struct top_model model;
    struct top_row **shown; /* the model's rows that match, sorted */
    size_t shown_count, shown_room;
    enum top_order order;
    char filter[TOP_INPUT];
    char selected[64];    /* the breaker under the cursor; "": none */
    size_t cursor, first; /* among `shown`: where it is, and the first on the screen */
    size_t height;        /* rows or lines that the screen shows at once */
    enum top_page page;   /* PAGE_DETAILS is about `selected` */
    size_t scroll, lines; /* on the other pages: the first line shown, and how many there are */
    enum top_prompt prompt;
    char input[TOP_INPUT];
    struct top_action action;
    char message[256]; /* what came of the last action; "": nothing to say */
    bool failed;       /* it is bad news */
    bool quit, stale;  /* stale: look again now */
};

/* Look at the registry; `now_ms`: CLOCK_MONOTONIC. 0, or an error of the library: then what was seen before stays. */
int top_look(struct top *, uint64_t now_ms);
/* Sort and filter what there is. The cursor stays on its breaker. */
void top_arrange(struct top *);
void top_free(struct top *);

/* A key as ncurses gives it, on a page, and at a prompt (top_prompt.c). */
void top_key(struct top *, int key);
void prompt_key(struct top *, int key);
/* Begin to ask; PROMPT_NONE ends it. */
void prompt_open(struct top *, enum top_prompt);
/* What the prompt says, with what was typed so far. Returns `out`. */
#define PROMPT_TEXT 512
const char *prompt_text(const struct top *, char out[PROMPT_TEXT]);

/* "trip", "reset" ...; and what it does, as a sentence's end. */
const char *action_name(enum top_act);
const char *action_effect(enum top_act);
/* Do top->action, and say in top->message what came of it. */
void action_do(struct top *);

/* The page about top->selected, and the one about keys. */
void details_write(FILE *out, const struct top *);
void help_write(FILE *out);

#endif
