/* The terminal as ncurses has it: taken, and given back as it was. */
#ifndef TOOLS_SCREEN_H
#define TOOLS_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/* How a text looks; SCREEN_STATE + an enum cb_state is that state's colour. */
enum {
    SCREEN_PLAIN,
    SCREEN_STRONG,
    SCREEN_FAINT,
    SCREEN_CURSOR,
    SCREEN_HEADING,
    SCREEN_BAD,
    SCREEN_WARN,
    SCREEN_STATE
};

/* Take the terminal. False, after saying on stderr why not: there is none, or it cannot do what is needed. Signals that
 * end this process are held from then on, until screen_wait() sees them. */
bool screen_open(void);
/* Give it back. A signal that was held then ends the process as it would have. */
void screen_close(void);

unsigned screen_columns(void);
unsigned screen_lines(void);

/* Begin and end a picture. `cursor_x`, `cursor_y`: where the cursor shows, if cursor_x is not negative. */
void screen_begin(void);
void screen_end(int cursor_y, int cursor_x);

/* Put text at a place, exactly `columns` wide: padded with blanks, or cut, which shows. */
void screen_text(unsigned y, unsigned x, unsigned columns, int look, const char *text);

/* Wait for a key at most `ms`; -1: none came. KEY_RESIZE: the terminal has another size now. */
int screen_wait(uint64_t ms);
/* Is this to end: by a signal, or because the terminal has gone? */
bool screen_ended(void);

#endif
