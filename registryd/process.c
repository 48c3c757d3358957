#include "registryd/process.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/lane.h"
#include "core/process.h"

static bool has_ended(int pidfd)
{
    struct pollfd ready = {.fd = pidfd, .events = POLLIN};
    return poll(&ready, 1, 0) > 0;
}

/* First the descriptor, then the start time: if that is still the record's, the descriptor is of no later process. */
int process_watch(uint64_t process)
{
    uint32_t pid = process_pid(process);
    uint64_t recorded = process_ticks(process);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return errno == EINVAL ? -ESRCH : -errno; /* EINVAL: no process, at most a thread */
    char command[COMMAND_SIZE];
    uint64_t start = process_start(pid, command);
    if ((start && recorded && start != recorded) || has_ended(pidfd)) {
        close(pidfd);
        return -ESRCH;
    }
    return pidfd;
}
