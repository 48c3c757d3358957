/* What `cbctl top` sees when it looks at the registry. */
#include <stdlib.h>
#include <string.h>

#include "top.h"

/* Room for all rows among those shown. */
static bool shown_grow(struct top *top)
{
    if (top->model.count <= top->shown_room)
        return true;
    struct top_row **shown = realloc(top->shown, top->model.count * sizeof *shown);
    if (!shown)
        return false;
    top->shown = shown;
    top->shown_room = top->model.count;
    return true;
}

void top_arrange(struct top *top)
{
    top->shown_count = shown_grow(top) ? order_rows(&top->model, top->filter, top->order, top->shown) : 0;
    size_t at = 0;
    while (at < top->shown_count && strcmp(top->shown[at]->name, top->selected) != 0)
        at++;
    if (at < top->shown_count)
        top->cursor = at;
    else if (top->cursor >= top->shown_count)
        top->cursor = top->shown_count ? top->shown_count - 1 : 0;
    if (top->page == PAGE_TABLE) /* details stay with their breaker, also when it is gone */
        strcpy(top->selected, top->shown_count ? top->shown[top->cursor]->name : "");
}

int top_look(struct top *top, uint64_t now_ms)
{
    uint64_t transitions = top->model.transitions;
    model_begin(&top->model, now_ms);
    int error = cb_list(top->registry, model_see, &top->model);
    model_end(&top->model);
    if (!error && top->model.transitions != transitions) /* the journal is long; mostly it says nothing new */
        error = cb_history(top->registry, NULL, model_hear, &top->model);
    top_arrange(top);
    return error;
}

void top_free(struct top *top)
{
    model_free(&top->model);
    free(top->shown);
    top->shown = NULL;
}
