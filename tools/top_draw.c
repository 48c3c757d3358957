#include "top_draw.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chart.h"
#include "fit.h"
#include "screen.h"
#include "top_columns.h"

#define HEAD_LINES 3 /* registry, counts, headings */

/* ---- head ---- */

static void daemon_text(const struct top *top, char *out, size_t size)
{
    if (!top->beat.known)
        snprintf(out, size, "registryd ...");
    else if (top->beat.up)
        snprintf(out, size, "registryd %s is up, %u %s", top->beat.version, top->beat.workers,
                 top->beat.workers == 1 ? "process" : "processes");
    else
        snprintf(out, size, "REGISTRYD DOES NOT ANSWER: breakers work on, only it can change them");
}

static void clock_text(char out[16])
{
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(out, 16, " %H:%M:%S", &local);
}

/* Left and right on one line; where there is not room for both, the left one counts. */
static void line_draw(unsigned y, const char *left, const char *right, int look)
{
    unsigned columns = screen_columns(), width = fit_width(right);
    if (fit_width(left) + 2 + width > columns)
        width = 0;
    screen_text(y, 0, columns - width, look, left);
    if (width)
        screen_text(y, columns - width, width, look, right);
}

static void counts_text(const struct top *top, char *out, size_t size)
{
    static const enum cb_state order[] = {CB_OPEN,     CB_FORCED_OPEN,  CB_HALF_OPEN,
                                          CB_DISABLED, CB_METRICS_ONLY, CB_CLOSED};
    size_t count = top->model.count;
    int length = snprintf(out, size, "%zu %s", count, count == 1 ? "breaker" : "breakers");
    for (size_t i = 0; i < TOP_STATES && (size_t)length < size; i++)
        if (top->model.states[order[i]])
            length += snprintf(out + length, size - (size_t)length, ", %zu %s", top->model.states[order[i]],
                               cb_state_name(order[i]));
}

static void head_draw(const struct top *top)
{
    char text[FIT_TEXT], right[TOP_INPUT + 32], daemon[128], now[16];
    bool bad = top->beat.known && !top->beat.up;
    daemon_text(top, daemon, sizeof daemon);
    clock_text(now);
    snprintf(text, sizeof text, "registry %s  %s", cb_registry_name(top->registry), daemon);
    line_draw(0, text, now, bad ? SCREEN_BAD : SCREEN_STRONG);
    counts_text(top, text, sizeof text);
    snprintf(right, sizeof right, "%s%s%sby %s", *top->filter ? "/" : "", top->filter, *top->filter ? "  " : "",
             order_name(top->order));
    line_draw(1, text, right, SCREEN_PLAIN);
}

/* ---- table ---- */

static void headings_draw(const struct top_layout *layout)
{
    unsigned x = 0;
    screen_text(2, 0, screen_columns(), SCREEN_HEADING, "");
    for (enum top_column column = 0; column < COLUMN_COUNT; column++) {
        unsigned width = layout->width[column], own = (unsigned)strlen(column_heading(column));
        if (!width)
            continue;
        unsigned skip = column_right(column) && own < width ? width - own : 0;
        screen_text(2, x + skip, width - skip, SCREEN_HEADING, column_heading(column));
        x += width + 1;
    }
}

static void spark_draw(const struct top_model *model, const struct top_row *row, unsigned y, unsigned x, unsigned width)
{
    static const int looks[] = {SCREEN_STATE + CB_CLOSED, SCREEN_WARN, SCREEN_BAD};
    struct top_point points[TOP_SAMPLES];
    uint64_t most = 0;
    model_history(model, row, points, width);
    for (unsigned i = 0; i < width; i++)
        most = most > points[i].height ? most : points[i].height;
    for (unsigned i = 0; i < width; i++)
        screen_text(y, x + i, 1, looks[points[i].trouble],
                    spark_text(spark_level(points[i].height, most), chart_blocks()));
}

static int cell_look(const struct top_row *row, enum top_column column)
{
    if (column == COLUMN_STATE)
        return SCREEN_STATE + (int)(row->counts.state % TOP_STATES);
    if (column == COLUMN_FAILED && row->rates.failed >= 10)
        return row->rates.failed >= 50 ? SCREEN_BAD : SCREEN_WARN;
    if (column == COLUMN_REJECTED && row->rates.rejected > 0)
        return SCREEN_WARN;
    return SCREEN_PLAIN;
}

static void cell_draw(const struct top_row *row, enum top_column column, unsigned y, unsigned x, unsigned width,
                      int look, uint64_t now_ms)
{
    char text[CELL_TEXT];
    cell_text(row, column, now_ms, text);
    unsigned own = fit_width(text), skip = column_right(column) && own < width ? width - own : 0;
    screen_text(y, x + skip, width - skip, look, text);
}

static void row_draw(const struct top *top, const struct top_layout *layout, size_t index, unsigned y, uint64_t now_ms)
{
    const struct top_row *row = top->shown[index];
    bool under_cursor = index == top->cursor;
    unsigned x = 0;
    if (under_cursor)
        screen_text(y, 0, screen_columns(), SCREEN_CURSOR, "");
    for (enum top_column column = 0; column < COLUMN_COUNT; column++) {
        unsigned width = layout->width[column];
        if (column == COLUMN_SPARK && width)
            spark_draw(&top->model, row, y, x, width);
        else if (width)
            cell_draw(row, column, y, x, width, under_cursor ? SCREEN_CURSOR : cell_look(row, column), now_ms);
        x += width ? width + 1 : 0;
    }
}

static unsigned longest_name(const struct top *top)
{
    size_t longest = 0;
    for (size_t i = 0; i < top->shown_count; i++) {
        size_t length = strlen(top->shown[i]->name);
        longest = length > longest ? length : longest;
    }
    return (unsigned)longest;
}

static void table_draw(struct top *top, uint64_t now_ms)
{
    struct top_layout layout = layout_make(screen_columns(), longest_name(top));
    if (top->cursor < top->first)
        top->first = top->cursor;
    if (top->height && top->cursor >= top->first + top->height)
        top->first = top->cursor - top->height + 1;
    if (top->first + top->height > top->shown_count)
        top->first = top->shown_count > top->height ? top->shown_count - top->height : 0;
    headings_draw(&layout);
    for (size_t i = 0; i < top->height && top->first + i < top->shown_count; i++)
        row_draw(top, &layout, top->first + i, HEAD_LINES + (unsigned)i, now_ms);
    if (!top->shown_count)
        screen_text(HEAD_LINES, 0, screen_columns(), SCREEN_FAINT,
                    *top->filter ? "No breaker has such a name; Esc shows all." : "There are no breakers yet.");
}

/* ---- pages of text ---- */

/* Draw the lines of `text` from top->scroll on, those that are too long in several; counts them all. */
static void text_draw(struct top *top, const char *text, int first_look)
{
    unsigned columns = screen_columns(), indent = 0;
    top->lines = 0;
    while (*text) {
        char line[FIT_TEXT];
        size_t whole = strcspn(text, "\n"), kept = whole < FIT_TEXT - 1 ? whole : FIT_TEXT - 1;
        snprintf(line, sizeof line, "%.*s", (int)kept, text);
        size_t part = fit_line(line, columns - indent);
        line[part] = '\0';
        if (top->lines >= top->scroll && top->lines - top->scroll < top->height)
            screen_text((unsigned)(HEAD_LINES - 1 + top->lines - top->scroll), indent, columns - indent,
                        top->lines ? SCREEN_PLAIN : first_look, line);
        top->lines++;
        text += part;
        bool ended = part == whole;
        text += ended ? *text == '\n' : strspn(text, " ");
        indent = ended || columns < 40 ? 0 : 13; /* below what stands behind the label */
    }
}

static void page_draw(struct top *top)
{
    char *text = NULL;
    size_t size = 0;
    const struct top_row *row = model_find(&top->model, top->selected);
    int look = SCREEN_STRONG;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return;
    if (top->page == PAGE_HELP) {
        help_write(out);
    } else {
        details_write(out, top);
        if (row)
            look = SCREEN_STATE + (int)(row->counts.state % TOP_STATES);
    }
    if (!fclose(out))
        text_draw(top, text, look);
    free(text);
    size_t last = top->lines > top->height ? top->lines - top->height : 0;
    top->scroll = top->scroll < last ? top->scroll : last;
}

/* ---- foot ---- */

static const char *keys_text(const struct top *top)
{
    if (top->page == PAGE_HELP)
        return "Esc back  q quit";
    if (top->page == PAGE_DETAILS)
        return "Esc back  t trip  r reset  o override  up, down scroll  ? help  q quit";
    return "? help  q quit  Enter details  t trip  r reset  o override  / filter  s sort";
}

/* What is asked, in as many lines as it takes; the cursor stands at its end. */
static unsigned prompt_draw(const struct top *top, unsigned lines, int *cursor_y, int *cursor_x)
{
    char text[PROMPT_TEXT], line[PROMPT_TEXT];
    unsigned columns = screen_columns(), taken = 0;
    prompt_text(top, text);
    for (const char *rest = text; *rest && taken < lines; taken++)
        rest += fit_line(rest, columns - 1) + (rest[fit_line(rest, columns - 1)] == ' ');
    const char *rest = text;
    for (unsigned i = 0; i < taken; i++) {
        size_t part = fit_line(rest, columns - 1);
        snprintf(line, sizeof line, "%.*s", (int)part, rest);
        screen_text(lines - taken + i, 0, columns, SCREEN_STRONG, line);
        *cursor_x = (int)fit_width(line);
        rest += part + (rest[part] == ' ');
    }
    *cursor_y = (int)lines - 1;
    return taken;
}

static void foot_draw(const struct top *top, int *cursor_y, int *cursor_x)
{
    unsigned lines = screen_lines(), taken = 0;
    if (top->prompt)
        taken = prompt_draw(top, lines, cursor_y, cursor_x);
    if (*top->message && taken < lines)
        screen_text(lines - 1 - taken, 0, screen_columns(), top->failed ? SCREEN_BAD : SCREEN_STRONG, top->message);
    else if (!top->prompt)
        screen_text(lines - 1, 0, screen_columns(), SCREEN_FAINT, keys_text(top));
}

void top_draw(struct top *top, uint64_t now_ms)
{
    int cursor_y = 0, cursor_x = -1;
    unsigned head = top->page == PAGE_TABLE ? HEAD_LINES : HEAD_LINES - 1, lines = screen_lines();
    top->height = lines > head + 1 ? lines - head - 1 : 0;
    screen_begin();
    head_draw(top);
    if (top->page == PAGE_TABLE)
        table_draw(top, now_ms);
    else
        page_draw(top);
    foot_draw(top, &cursor_y, &cursor_x);
    screen_end(cursor_y, cursor_x);
}
