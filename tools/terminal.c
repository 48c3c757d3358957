#include "terminal.h"

#include <stdlib.h>
#include <unistd.h>

#include "report.h"

#include <curses.h>
#include <term.h> /* last: it defines words such as `columns` */

bool terminal_usable(void)
{
    int error = 0;
    const char *name = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        report(0, "top draws on a terminal, and this is none; `cbctl list` prints what it would show");
        return false;
    }
    if (setupterm(NULL, STDOUT_FILENO, &error) == OK && cursor_address && clear_screen)
        return true;
    report(0, "top cannot draw on a terminal of type '%s' (TERM); use `cbctl list`", name ? name : "");
    return false;
}
