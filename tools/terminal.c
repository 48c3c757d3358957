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
    bool known = setupterm(NULL, STDOUT_FILENO, &error) == OK, draws = known && cursor_address && clear_screen;
    if (known)
        del_curterm(cur_term);
    if (draws)
        return true;
    report(0, "top cannot draw on a terminal of type '%s' (TERM); use `cbctl list`", name ? name : "");
    return false;
}
