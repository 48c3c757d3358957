/* Tables for people: aligned columns, colour and shortening only on a terminal. */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

struct column {
    const char *heading;
    bool number;  /* aligned to the right */
    bool shrinks; /* gives way when the terminal is narrow */
};

/* NULL: no memory. */
struct table *table_create(const struct column *columns, size_t count);
void table_destroy(struct table *);

/* Begin a row, then fill its cells. */
void table_row(struct table *);
void table_text(struct table *, size_t column, const char *text); /* "" becomes "-" */
void table_count(struct table *, size_t column, uint64_t count);  /* on a terminal 1234567 becomes 1.2M */
void table_state(struct table *, size_t column, int state);       /* enum cb_state, in its colour */

/* A line below the table about one of its rows; "" adds none. */
void table_note(struct table *, const char *name, const char *text);

void table_print(struct table *);

/* Is there a terminal, with too little room for columns of free text? */
bool table_narrow(void);

/* Is standard output a terminal that wants colour? */
bool colour_wanted(void);
/* How a state (enum cb_state) begins in colour; "" without. COLOUR_END ends it. */
const char *state_colour(int state);
#define COLOUR_END "\033[0m"

#endif
