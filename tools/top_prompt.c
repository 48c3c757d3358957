/* What `cbctl top` asks for: a filter; or an override, its duration, a reason and a yes, one after the other. */
#include <ctype.h>
#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"
#include "top.h"

#define KEY_ESCAPE 27

void prompt_open(struct top *top, enum top_prompt prompt)
{
    top->prompt = prompt;
    top->message[0] = '\0';
    strcpy(top->input, prompt == PROMPT_FILTER ? top->filter : "");
}

const char *prompt_text(const struct top *top, char out[PROMPT_TEXT])
{
    const struct top_action *action = &top->action;
    const char *name = action_name(action->act), *effect = action_effect(action->act);
    *out = '\0';
    if (top->prompt == PROMPT_FILTER)
        snprintf(out, PROMPT_TEXT, "Only names with: %s", top->input);
    else if (top->prompt == PROMPT_OVERRIDE)
        snprintf(out, PROMPT_TEXT, "Override %s: f force-open, d disable, m metrics-only, a auto (end it)? ",
                 action->name);
    else if (top->prompt == PROMPT_DURATION)
        snprintf(out, PROMPT_TEXT, "%s %s for how long (90s, 5m, 2h; nothing: until it is ended)? %s", name,
                 action->name, top->input);
    else if (top->prompt == PROMPT_REASON)
        snprintf(out, PROMPT_TEXT, "%s %s, because (may be empty): %s", name, action->name, top->input);
    else if (top->prompt == PROMPT_CONFIRM)
        snprintf(out, PROMPT_TEXT, "%s %s? %s. y/n ", name, action->name, effect);
    return out;
}

/* ---- typing ---- */

static void input_erase(char *input)
{
    size_t length = strlen(input);
    while (length && ((unsigned char)input[--length] & 0xc0) == 0x80) /* the rest of a character of UTF-8 */
        continue;
    input[length] = '\0';
}

static void input_take(struct top *top, int key)
{
    size_t length = strlen(top->input);
    if (key == KEY_BACKSPACE || key == 127 || key == '\b')
        input_erase(top->input);
    else if (key == 'U' - '@') /* Ctrl-U */
        top->input[0] = '\0';
    else if (key >= ' ' && key <= 0xff && length < TOP_INPUT - 1)
        top->input[length] = (char)key, top->input[length + 1] = '\0';
}

/* ---- what is done with it ---- */

static void filter_apply(struct top *top)
{
    strcpy(top->filter, top->input);
    top_arrange(top);
}

static void override_choose(struct top *top, int key)
{
    static const struct {
        int key;
        enum top_act act;
    } choices[] = {{'f', ACT_FORCE_OPEN}, {'d', ACT_DISABLE}, {'m', ACT_METRICS_ONLY}, {'a', ACT_AUTO}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (choices[i].key != key)
            continue;
        top->action.act = choices[i].act;
        prompt_open(top, choices[i].act == ACT_AUTO ? PROMPT_REASON : PROMPT_DURATION);
    }
}

static void duration_take(struct top *top)
{
    top->action.for_ms = 0;
    if (!*top->input || (duration_parse(top->input, &top->action.for_ms) && top->action.for_ms)) {
        prompt_open(top, PROMPT_REASON);
        return;
    }
    snprintf(top->message, sizeof top->message, "'%s' is not a duration; such as 90s, 5m, 2h", top->input);
    top->failed = true;
}

static void reason_take(struct top *top)
{
    strcpy(top->action.reason, top->input);
    prompt_open(top, PROMPT_CONFIRM);
}

static void confirm_take(struct top *top, int key)
{
    if (key != 'y' && key != 'Y' && key != 'n' && key != 'N')
        return;
    prompt_open(top, PROMPT_NONE);
    if (tolower(key) == 'y')
        action_do(top);
}

static void line_take(struct top *top)
{
    if (top->prompt == PROMPT_DURATION)
        duration_take(top);
    else if (top->prompt == PROMPT_REASON)
        reason_take(top);
    else
        prompt_open(top, PROMPT_NONE);
}

static void prompt_cancel(struct top *top)
{
    bool filter = top->prompt == PROMPT_FILTER;
    prompt_open(top, PROMPT_NONE);
    if (!filter)
        return;
    top->filter[0] = '\0';
    top_arrange(top);
}

void prompt_key(struct top *top, int key)
{
    if (key == KEY_ESCAPE)
        prompt_cancel(top);
    else if (top->prompt == PROMPT_OVERRIDE)
        override_choose(top, key);
    else if (top->prompt == PROMPT_CONFIRM)
        confirm_take(top, key);
    else if (key == '\n' || key == '\r' || key == KEY_ENTER)
        line_take(top);
    else
        input_take(top, key);
    if (top->prompt == PROMPT_FILTER)
        filter_apply(top);
}
