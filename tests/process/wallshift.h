/* The wall clock of processes that have this library, linked or as LD_PRELOAD: ahead of the host's by as many
 * milliseconds as stand in a file that they share. CLOCK_MONOTONIC is as it is. */
#ifndef TESTS_WALLSHIFT_H
#define TESTS_WALLSHIFT_H

#include <stdint.h>

#define WALLSHIFT_VARIABLE "WALL_SHIFT" /* names the file when a process starts */

/* Use that file from now on; returns where the number lies in it, NULL if it cannot be mapped. */
_Atomic int64_t *wallshift_use(const char *path);

#endif
