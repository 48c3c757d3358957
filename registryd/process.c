#include "registryd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/lane.h"

/* Field 22 of /proc/PID/stat, clock ticks since boot; 0: not to be had. The command in field 2 may hold anything, so
 * counting begins behind its last ')'. */
static uint64_t start_of(uint32_t pid)
{
    char text[1024];
    snprintf(text, sizeof text, "/proc/%u/stat", pid);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    char *at = length > 0 ? strrchr(text, ')') : NULL;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

static bool has_ended(int pidfd)
{
    struct pollfd ready = {.fd = pidfd, .events = POLLIN};
    return poll(&ready, 1, 0) > 0;
}

/* First the descriptor, then the start time: if that is still the record's, the descriptor is of no later process. */
int process_watch(uint64_t process)
{
    uint32_t pid = process_pid(process);
    uint64_t recorded = process >> WORKER_PID_BITS;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return errno == EINVAL ? -ESRCH : -errno; /* EINVAL: no process, at most a thread */
    uint64_t start = start_of(pid);
    if ((start && recorded && start != recorded) || has_ended(pidfd)) {
        close(pidfd);
        return -ESRCH;
    }
    return pidfd;
}
