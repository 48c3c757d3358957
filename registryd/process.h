/* Other processes, as the kernel knows them. */
#ifndef REGISTRYD_PROCESS_H
#define REGISTRYD_PROCESS_H

#include <stdint.h>

/*
 * A pidfd of the process that a worker record names (core/lane.h). -ESRCH: the kernel says that it is dead: no process
 * has that pid, or one that began at another time. Any other -errno: cannot be said now.
 */
int process_watch(uint64_t process);

#endif
