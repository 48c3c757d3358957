/* What keys do in `cbctl top`. */
#include <curses.h>
#include <string.h>

#include "top.h"

#define KEY_ESCAPE 27

/* Where `*position` is after a key that moves it, among `count`; false: the key does not move. */
static bool move_key(int key, size_t count, size_t height, size_t *position)
{
    size_t last = count ? count - 1 : 0, page = height > 1 ? height - 1 : 1, at = *position;
    if (key == KEY_UP || key == 'k')
        at = at ? at - 1 : 0;
    else if (key == KEY_DOWN || key == 'j')
        at = at + 1;
    else if (key == KEY_PPAGE)
        at = at > page ? at - page : 0;
    else if (key == KEY_NPAGE || key == ' ')
        at = at + page;
    else if (key == KEY_HOME || key == 'g')
        at = 0;
    else if (key == KEY_END || key == 'G')
        at = last;
    else
        return false;
    *position = at < last ? at : last;
    return true;
}

static void page_open(struct top *top, enum top_page page)
{
    top->page = page;
    top->scroll = 0;
    if (page == PAGE_TABLE)
        top_arrange(top);
}

static void act_begin(struct top *top, enum top_act act, enum top_prompt prompt)
{
    if (!*top->selected)
        return;
    top->action = (struct top_action){.act = act};
    strcpy(top->action.name, top->selected);
    prompt_open(top, prompt);
}

/* Keys that act on the selected breaker, wherever it is shown. */
static bool action_key(struct top *top, int key)
{
    if (key == 't')
        act_begin(top, ACT_TRIP, PROMPT_REASON);
    else if (key == 'r')
        act_begin(top, ACT_RESET, PROMPT_REASON);
    else if (key == 'o')
        act_begin(top, ACT_FORCE_OPEN, PROMPT_OVERRIDE);
    else
        return false;
    return true;
}

static void table_key(struct top *top, int key)
{
    if (move_key(key, top->shown_count, top->height, &top->cursor)) {
        if (top->shown_count)
            strcpy(top->selected, top->shown[top->cursor]->name);
    } else if ((key == '\n' || key == '\r' || key == KEY_ENTER) && *top->selected) {
        page_open(top, PAGE_DETAILS);
    } else if (key == '/') {
        prompt_open(top, PROMPT_FILTER);
    } else if (key == 's' || key == 'S') {
        unsigned step = key == 's' ? 1 : ORDER_COUNT - 1;
        top->order = (enum top_order)((top->order + step) % ORDER_COUNT);
        top_arrange(top);
    } else if (key == KEY_ESCAPE) {
        top->filter[0] = '\0';
        top_arrange(top);
    } else {
        action_key(top, key);
    }
}

static void text_key(struct top *top, int key)
{
    size_t tops = top->lines > top->height ? top->lines - top->height + 1 : 1; /* lines that can be the first */
    if (move_key(key, tops, top->height, &top->scroll))
        return;
    if (key == KEY_ESCAPE || key == KEY_LEFT || key == KEY_BACKSPACE || key == '\n' || key == '\r' || key == KEY_ENTER)
        page_open(top, PAGE_TABLE);
    else if (top->page == PAGE_DETAILS)
        action_key(top, key);
}

void top_key(struct top *top, int key)
{
    if (top->prompt) {
        prompt_key(top, key);
        return;
    }
    top->message[0] = '\0';
    if (key == 'q')
        top->quit = true;
    else if (key == '?' || key == 'h')
        page_open(top, top->page == PAGE_HELP ? PAGE_TABLE : PAGE_HELP);
    else if (top->page == PAGE_TABLE)
        table_key(top, key);
    else
        text_key(top, key);
}
