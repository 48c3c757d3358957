/* Who may do what: by the uid and groups that the kernel says a peer had when it connected. */
#ifndef REGISTRYD_ACCESS_H
#define REGISTRYD_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

enum rank { RANK_READER, RANK_MEMBER, RANK_ADMINISTRATOR };

/* (gid_t)-1: no such group. uid 0 and the daemon's own uid are administrators. */
struct access {
    gid_t members, administrators;
};

struct peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    enum rank rank;
};

/* The peer at the other end of `fd`; false: the kernel does not say. */
bool access_peer(const struct access *, int fd, struct peer *out);

/* The group that socket and memory are open to, or (gid_t)-1. */
gid_t access_group(const struct access *);

/* What a peer of too low a rank is told: who may, into `out`. */
void access_explain(const struct access *, enum rank needed, char *out, size_t size);

#endif
