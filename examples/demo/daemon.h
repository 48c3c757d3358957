/* A registryd of one's own: a registry that nobody else has, in a private directory. The benchmark uses it too. */
#ifndef DEMO_DAEMON_H
#define DEMO_DAEMON_H

#include <stdint.h>
#include <sys/types.h>

struct daemon {
    pid_t pid;
    char registry[64];
    char dir[64];
};

/* Start registryd and wait until it says that it is ready. 0 or -errno (-ETIMEDOUT: it said nothing in 10 seconds;
 * -ECHILD: it ended); nothing is left behind then. */
int daemon_start(struct daemon *, const char *label, uint32_t capacity);

/* End it, and remove its memory and its directory. Harmless on one that was not started. */
void daemon_stop(struct daemon *);

#endif
