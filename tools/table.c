#include "table.h"

#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cbclient.h>

struct table {
    struct libscols_table *lines;
    struct libscols_line *row; /* the newest */
    FILE *notes;               /* NULL before the first */
    char *notes_text;
    size_t notes_size;
};

#define WIDE_COLUMNS 140

static bool on_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

bool table_narrow(void)
{
    struct winsize size;
    return on_terminal() && (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < WIDE_COLUMNS);
}

bool colour_wanted(void)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return on_terminal() && !(refused && *refused) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

const char *state_colour(int state)
{
    static const char *const colours[] = {
        [CB_CLOSED] = "\033[32m",        [CB_OPEN] = "\033[1;31m",   [CB_HALF_OPEN] = "\033[33m",
        [CB_FORCED_OPEN] = "\033[1;35m", [CB_DISABLED] = "\033[36m", [CB_METRICS_ONLY] = "\033[36m",
    };
    if (!colour_wanted() || state < 0 || (size_t)state >= sizeof colours / sizeof *colours)
        return "";
    return colours[state];
}

static void columns_add(struct libscols_table *lines, const struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int flags = columns[i].number ? SCOLS_FL_RIGHT : 0;
        if (columns[i].shrinks && on_terminal())
            flags |= SCOLS_FL_TRUNC;
        scols_table_new_column(lines, columns[i].heading, 0, flags);
    }
}

struct table *table_create(const struct column *columns, size_t count)
{
    struct table *table = calloc(1, sizeof *table);
    if (table && !(table->lines = scols_new_table())) {
        free(table);
        return NULL;
    }
    if (!table)
        return NULL;
    scols_table_enable_colors(table->lines, colour_wanted());
    columns_add(table->lines, columns, count);
    return table;
}

void table_destroy(struct table *table)
{
    if (!table)
        return;
    if (table->notes)
        fclose(table->notes);
    free(table->notes_text);
    scols_unref_table(table->lines);
    free(table);
}

void table_row(struct table *table)
{
    table->row = scols_table_new_line(table->lines, NULL);
}

void table_text(struct table *table, size_t column, const char *text)
{
    if (table->row)
        scols_line_set_data(table->row, column, *text ? text : "-");
}

void table_count(struct table *table, size_t column, uint64_t count)
{
    static const char scales[] = " kMGT";
    char text[32];
    double value = (double)count;
    size_t scale = 0;
    while (on_terminal() && count >= 100000 && value >= 1000 && scale < sizeof scales - 2) {
        value /= 1000;
        scale++;
    }
    if (scale)
        snprintf(text, sizeof text, value < 10 ? "%.1f%c" : "%.0f%c", value, scales[scale]);
    else
        snprintf(text, sizeof text, "%" PRIu64, count);
    table_text(table, column, text);
}

void table_state(struct table *table, size_t column, int state)
{
    table_text(table, column, cb_state_name((enum cb_state)state));
    struct libscols_cell *cell = table->row ? scols_line_get_cell(table->row, column) : NULL;
    if (cell && *state_colour(state))
        scols_cell_set_color(cell, state_colour(state));
}

void table_note(struct table *table, const char *name, const char *text)
{
    if (!*text)
        return;
    if (!table->notes)
        table->notes = open_memstream(&table->notes_text, &table->notes_size);
    if (table->notes)
        fprintf(table->notes, "%s: %s\n", name, text);
}

void table_print(struct table *table)
{
    scols_print_table(table->lines);
    if (table->notes && !fflush(table->notes))
        printf("\n%s", table->notes_text);
}
