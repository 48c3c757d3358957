/* What the kernel says about a process. */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include <stdint.h>

#define COMMAND_SIZE 32 /* a process's name, with its terminator */

/* When the process began, in clock ticks since boot, and its name ("" and 0: there is none, or /proc does not say). The
 * name is UTF-8 without control characters; what it has of others is '?'. */
uint64_t process_start(uint32_t pid, char command[COMMAND_SIZE]);

/* The name of the process of a worker's record; "" also if that process has ended and another one has its number. */
void process_command(uint64_t process, char command[COMMAND_SIZE]);

#endif
