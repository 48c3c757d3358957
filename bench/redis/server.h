/* A redis-server of one's own: on a Unix socket in a private folder, nothing kept on disk. */
#ifndef BENCH_REDIS_SERVER_H
#define BENCH_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    char dir[64], socket[80];
};

/* Start it and wait until it answers. False: it does not; nothing is left behind. */
bool server_start(struct server *);
/* End it and remove its folder. Harmless on one that was not started. */
void server_stop(struct server *);

#endif
