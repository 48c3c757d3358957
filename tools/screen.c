#include "screen.h"

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "chart.h"
#include "fit.h"
#include "report.h"
#include "table.h"
#include "terminal.h"
#include <cbclient.h>

static SCREEN *screen;
static attr_t looks[SCREEN_STATE + 6];
static sigset_t unblocked; /* the mask while waiting */
static volatile sig_atomic_t ended_by;
static bool hung_up;

/* ---- signals ---- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void end_note(int number)
{
    ended_by = number;
}

/* They and a change of size come only while waiting, so that none is missed between looking and waiting. */
static void signals_hold(void)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGWINCH);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        struct sigaction action = {.sa_handler = end_note};
        sigaction(ending[i], &action, NULL);
        sigaddset(&held, ending[i]);
    }
    sigprocmask(SIG_BLOCK, &held, &unblocked);
}

static void signals_release(void)
{
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        signal(ending[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, &unblocked, NULL);
    if (ended_by)
        raise(ended_by);
}

/* ---- colours ---- */

static void looks_plain(void)
{
    looks[SCREEN_STRONG] = A_BOLD;
    looks[SCREEN_FAINT] = A_NORMAL;
    looks[SCREEN_CURSOR] = looks[SCREEN_HEADING] = A_REVERSE;
    looks[SCREEN_BAD] = looks[SCREEN_WARN] = A_BOLD;
    for (int state = CB_OPEN; state <= CB_METRICS_ONLY; state++)
        looks[SCREEN_STATE + state] = A_BOLD;
    looks[SCREEN_STATE + CB_CLOSED] = A_NORMAL;
}

static void look_colour(int look, short pair, short colour, attr_t more)
{
    init_pair(pair, colour, -1);
    looks[look] = (attr_t)COLOR_PAIR(pair) | more;
}

static void looks_colour(void)
{
    look_colour(SCREEN_STATE + CB_CLOSED, 1, COLOR_GREEN, A_NORMAL);
    look_colour(SCREEN_STATE + CB_OPEN, 2, COLOR_RED, A_BOLD);
    look_colour(SCREEN_STATE + CB_HALF_OPEN, 3, COLOR_YELLOW, A_NORMAL);
    look_colour(SCREEN_STATE + CB_FORCED_OPEN, 4, COLOR_MAGENTA, A_BOLD);
    look_colour(SCREEN_STATE + CB_DISABLED, 5, COLOR_CYAN, A_NORMAL);
    looks[SCREEN_STATE + CB_METRICS_ONLY] = looks[SCREEN_STATE + CB_DISABLED];
    looks[SCREEN_BAD] = looks[SCREEN_STATE + CB_OPEN];
    looks[SCREEN_WARN] = looks[SCREEN_STATE + CB_HALF_OPEN];
}

/* ---- taking it ---- */

bool screen_open(void)
{
    if (!terminal_usable())
        return false;
    signals_hold();
    screen = newterm(NULL, stdout, stdin);
    if (!screen) {
        report(0, "the terminal cannot be used");
        signals_release();
        return false;
    }
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(25);
    looks_plain();
    if (colour_wanted() && has_colors() && start_color() == OK && use_default_colors() == OK)
        looks_colour();
    return true;
}

void screen_close(void)
{
    endwin();
    delscreen(screen);
    screen = NULL;
    signals_release();
}

/* ---- drawing ---- */

unsigned screen_columns(void)
{
    return (unsigned)getmaxx(stdscr);
}

unsigned screen_lines(void)
{
    return (unsigned)getmaxy(stdscr);
}

void screen_begin(void)
{
    erase();
}

void screen_end(int cursor_y, int cursor_x)
{
    curs_set(cursor_x >= 0);
    if (cursor_x >= 0)
        move(cursor_y, cursor_x);
    refresh();
}

void screen_text(unsigned y, unsigned x, unsigned columns, int look, const char *text)
{
    char fitted[FIT_TEXT];
    if (y >= screen_lines() || x >= screen_columns())
        return;
    if (columns > screen_columns() - x)
        columns = screen_columns() - x;
    attrset(looks[look]);
    mvaddstr((int)y, (int)x, fit_text(text, columns, chart_blocks() ? "…" : "~", fitted));
    attrset(A_NORMAL);
}

/* ---- waiting ---- */

int screen_wait(uint64_t ms)
{
    int key = getch();
    if (key != ERR)
        return key;
    struct timespec timeout = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = ppoll(&input, 1, &timeout, &unblocked);
    key = getch();
    hung_up = ready > 0 && key == ERR && (input.revents & (POLLHUP | POLLERR));
    return key == ERR ? -1 : key;
}

bool screen_ended(void)
{
    return ended_by || hung_up;
}
