/* The dependency: a small HTTP service on the loopback that can be told to fail, hang or recover. */
#ifndef DEMO_UPSTREAM_H
#define DEMO_UPSTREAM_H

#include <stdint.h>
#include <sys/types.h>

struct upstream {
    pid_t pid;
    uint16_t port;
};

/* It accepts connections when this returns. 0 or -errno. */
int upstream_start(struct upstream *);
void upstream_stop(struct upstream *);

/* "ok": answers 200. "fail": answers 503. "hang": accepts and never answers. In force when this returns. 0 or -EIO. */
int upstream_tell(const struct upstream *, const char *mode);

#endif
