#include "tests/process/terminal.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/harness.h"

#define POLL_MS 20

static pid_t owner; /* the process whose terminal it is; 0: closed */

/* tmux with these arguments; its output, to be freed. */
static char *tmux(char *const arguments[], size_t count)
{
    struct output output;
    char *padded[12] = {NULL};
    cr_assert(count < 12, "too many keys at once");
    for (size_t i = 0; i < count; i++)
        padded[i] = arguments[i];
    run(&output, "tmux", "-L", "test", "-f", "/dev/null", "-u", padded[0], padded[1], padded[2], padded[3], padded[4],
        padded[5], padded[6], padded[7], padded[8], padded[9], padded[10], (char *)NULL);
    cr_assert_eq(output.status, 0, "tmux %s: %d: %s", padded[0], output.status, output.err);
    char *text = output.out;
    output.out = NULL;
    output_free(&output);
    return text;
}

#define TMUX(...) free(tmux((char *[]){__VA_ARGS__}, sizeof(char *[]){__VA_ARGS__} / sizeof(char *)))

static char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void terminal_end(void)
{
    if (owner == getpid() && system("tmux -L test kill-server 2>/dev/null") == 0) // NOLINT: the name is fixed
        owner = 0;
}

void terminal_open(const char *dir, unsigned columns, unsigned lines)
{
    char width[16], height[16];
    snprintf(width, sizeof width, "%u", columns);
    snprintf(height, sizeof height, "%u", lines);
    setenv("TMUX_TMPDIR", dir, 1);
    unsetenv("TMUX");
    if (!owner)
        atexit(terminal_end);
    owner = getpid();
    /* Should the test crash, this ends by itself. */
    TMUX(word("new-session"), word("-d"), word("-x"), width, word("-y"), height,
         word("exec timeout --foreground -k 5 100 env 'PS1=ready> ' HISTFILE= bash --norc --noprofile -i"));
    terminal_expect("ready>");
}

void terminal_close(void)
{
    TMUX(word("kill-server"));
    owner = 0;
}

void terminal_resize(unsigned columns, unsigned lines)
{
    char width[16], height[16];
    snprintf(width, sizeof width, "%u", columns);
    snprintf(height, sizeof height, "%u", lines);
    TMUX(word("resize-window"), word("-x"), width, word("-y"), height);
}

void terminal_press(const char *key, ...)
{
    char *keys[11] = {word("send-keys"), word(key)};
    size_t count = 2;
    va_list list;
    va_start(list, key);
    for (char *next; (next = va_arg(list, char *)) != NULL && count < 11;)
        keys[count++] = next;
    va_end(list);
    free(tmux(keys, count));
}

void terminal_type(const char *line)
{
    TMUX(word("send-keys"), word("-l"), word(line));
    terminal_press("Enter", (char *)NULL);
}

char *terminal_read(int escapes)
{
    char *arguments[] = {word("capture-pane"), word("-p"), word("-e")};
    return tmux(arguments, escapes ? 3 : 2);
}

static void screen_wait(const char *text, int wanted)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t deadline = now.tv_sec + 2 * HARNESS_DEADLINE_MS / 1000;
    for (;; poll(NULL, 0, POLL_MS)) {
        char *screen = terminal_read(0);
        int found = strstr(screen, text) != NULL;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (found != wanted)
            cr_assert(now.tv_sec < deadline, "the screen %s '%s':\n%s", wanted ? "never had" : "still has", text,
                      screen);
        free(screen);
        if (found == wanted)
            return;
    }
}

void terminal_expect(const char *text)
{
    screen_wait(text, 1);
}

void terminal_expect_not(const char *text)
{
    screen_wait(text, 0);
}
