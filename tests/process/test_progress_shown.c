/* Long work on a terminal says how far it is. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

/* Many times as long as it takes until the line is drawn, so that it ends with its reader. */
static void trace_write(char *path)
{
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && dprintf(fd, "case long\n") > 0);
    for (int i = 0; i < 1000; i++)
        cr_assert(dprintf(fd, "@%d call success x1000000\n", i) > 0);
    close(fd);
}

static int simulate_on_terminal(char *path, pid_t *pid)
{
    int fd;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    *pid = forkpty(&fd, NULL, NULL, &size);
    if (*pid == 0) {
        setenv("TERM", "xterm", 1);
        execl(CBCTL_PATH, "cbctl", "simulate", path, (char *)NULL);
        _exit(127);
    }
    cr_assert(*pid > 0);
    return fd;
}

Test(progress_shown, simulate_tells_the_line_and_the_case, .timeout = 60)
{
    char path[] = "/tmp/registryd-test-trace-XXXXXX", text[4096];
    size_t length = 0;
    pid_t pid;
    trace_write(path);
    int fd = simulate_on_terminal(path, &pid);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    text[0] = '\0';
    while (!strstr(text, "\033[K") && length < sizeof text - 1 && poll(&ready, 1, 3 * HARNESS_DEADLINE_MS) == 1) {
        ssize_t got = read(fd, text + length, sizeof text - 1 - length);
        if (got <= 0)
            break;
        text[length += (size_t)got] = '\0';
    }
    kill(pid, SIGKILL);
    child_wait(pid);
    close(fd);
    unlink(path);
    cr_expect(strstr(text, "\rsimulate: /tmp/registryd-test-trace-") && strstr(text, ", case 1 of 1\033[K"),
              "on the terminal stands: %s", text);
}
