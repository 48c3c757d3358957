#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FIRST_MS 500
#define EACH_MS  100

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress)
{
    const char *terminal = getenv("TERM");
    bool able = terminal && *terminal && strcmp(terminal, "dumb") != 0;
    *progress = (struct progress){.wanted = able && isatty(STDERR_FILENO), .next_ms = now_ms() + FIRST_MS};
}

bool progress_due(const struct progress *progress)
{
    return progress->wanted && now_ms() >= progress->next_ms;
}

/* One column stays free: some terminals wrap when the last one is written. */
static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

void progress_say(struct progress *progress, const char *format, ...)
{
    char line[256];
    va_list list;
    if (!progress_due(progress))
        return;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    fprintf(stderr, "\r%.*s\033[K", columns(), line);
    fflush(stderr);
    progress->drawn = true;
    progress->next_ms = now_ms() + EACH_MS;
}

void progress_clear(struct progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = false;
}
