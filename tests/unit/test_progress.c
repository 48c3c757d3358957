/* The line that tells how far long work is: on a terminal, in its width, and gone afterwards; elsewhere not a byte. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/progress.h"

static int out; /* where standard error can be read */

static void stderr_is(int fd)
{
    cr_assert(dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    fcntl(out, F_SETFL, O_NONBLOCK);
}

static void on_terminal(unsigned short columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    int end;
    cr_assert(openpty(&out, &end, NULL, NULL, &size) == 0);
    stderr_is(end);
    setenv("TERM", "xterm", 1);
}

static void on_pipe(void)
{
    int ends[2];
    cr_assert(pipe(ends) == 0);
    out = ends[0];
    stderr_is(ends[1]);
    setenv("TERM", "xterm", 1);
}

static const char *written(void)
{
    static char text[1024];
    ssize_t length = read(out, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static struct progress begun_long_ago(void)
{
    struct progress progress;
    progress_begin(&progress);
    progress.next_ms = 0;
    return progress;
}

Test(progress, a_terminal_has_one_line_drawn_anew_and_taken_away)
{
    on_terminal(80);
    struct progress progress = begun_long_ago();
    progress_say(&progress, "step %d", 1);
    cr_expect_str_eq(written(), "\rstep 1\033[K");
    progress_say(&progress, "step %d", 2);
    cr_expect_str_eq(written(), "", "drawn twice in the same moment");
    progress.next_ms = 0;
    progress_say(&progress, "step %d", 3);
    cr_expect_str_eq(written(), "\rstep 3\033[K");
    progress_clear(&progress);
    cr_expect_str_eq(written(), "\r\033[K");
    progress_clear(&progress);
    cr_expect_str_eq(written(), "");
}

Test(progress, what_is_short_shows_nothing)
{
    on_terminal(80);
    struct progress progress;
    progress_begin(&progress);
    cr_expect(!progress_due(&progress));
    progress_say(&progress, "step 1");
    progress_clear(&progress);
    cr_expect_str_eq(written(), "");
}

Test(progress, the_line_never_wraps)
{
    on_terminal(20);
    struct progress progress = begun_long_ago();
    progress_say(&progress, "%s", "0123456789abcdefghijklmnopqrstuvwxyz");
    cr_expect_str_eq(written(), "\r0123456789abcdefghi\033[K");
}

Test(progress, nothing_is_drawn_where_there_is_no_terminal)
{
    on_pipe();
    struct progress progress = begun_long_ago();
    cr_expect(!progress_due(&progress));
    progress_say(&progress, "step 1");
    progress_clear(&progress);
    cr_expect_str_eq(written(), "");
}

Test(progress, nor_on_one_that_cannot)
{
    on_terminal(80);
    setenv("TERM", "dumb", 1);
    struct progress progress = begun_long_ago();
    progress_say(&progress, "step 1");
    cr_expect_str_eq(written(), "");
}
