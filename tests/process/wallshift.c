#include "tests/process/wallshift.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define VISIBLE __attribute__((visibility("default")))

static _Atomic int64_t *ahead_ms;

VISIBLE _Atomic int64_t *wallshift_use(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped = mmap(NULL, sizeof *ahead_ms, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    ahead_ms = mapped == MAP_FAILED ? NULL : mapped;
    return ahead_ms;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(WALLSHIFT_VARIABLE);
    if (path)
        wallshift_use(path);
}

static int is_wall(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_REALTIME_ALARM ||
           clock == CLOCK_TAI;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those of libc are reserved */

VISIBLE int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    if (result == 0 && is_wall(clock) && ahead_ms) {
        int64_t ms = out->tv_sec * 1000 + out->tv_nsec / 1000000 + *ahead_ms; /* after 1970 */
        out->tv_sec = ms / 1000;
        out->tv_nsec = out->tv_nsec % 1000000 + ms % 1000 * 1000000;
    }
    return result;
}

VISIBLE time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

VISIBLE int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

VISIBLE int timespec_get(struct timespec *out, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, out) == 0 ? base : 0;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
