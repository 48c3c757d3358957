/*
 * A worker's guard: the kernel's proof that the program which attached still runs. Death alone does not show an exec:
 * the process lives on, with its number and start time, but its calls went with its old memory.
 *
 * So the memory itself holds a lock: one byte of the live object's file, the worker number's, locked by an open file
 * description that nothing refers to but a mapping. The kernel drops the mapping, and with it the lock, with an exec as
 * with every other end; a forked child does not get it (MADV_DONTFORK), and closing all descriptors, as daemons do, does
 * not touch it. Whoever can open the file can ask about the lock, without any right over the process.
 *
 * A worker has its guard before its record says so (WORKER_GUARDED), and its record is gone before its guard is. It does
 * without where it cannot open the file any more (a child that has given up its rights, or lives in a chroot): then an
 * exec is noticed no sooner than the process's end.
 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "core/segment.h"

/* *guard is for guard_drop(). 0: taken; -EAGAIN: somebody else has that number's; any other negative value: there is none
 * to be had. */
int guard_take(const struct segment *, uint32_t worker, void **guard);
void guard_drop(void *guard); /* NULL: nothing */

/* To ask: a descriptor for guard_held(), or -errno. */
int guard_open(const struct segment *);
bool guard_held(int fd, uint32_t worker);

#endif
