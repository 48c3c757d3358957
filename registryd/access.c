#include "registryd/access.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_GROUP ((gid_t)-1)

/* The peer's supplementary groups, for free(); NULL with *count 0 if there are none. */
static gid_t *groups_of(int fd, size_t *count)
{
    gid_t *groups = NULL;
    socklen_t size = 0;
    *count = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return NULL;
    groups = malloc(size);
    if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
        *count = size / sizeof *groups;
    return groups;
}

static bool is_in(gid_t group, gid_t gid, const gid_t *groups, size_t count)
{
    bool found = group == gid;
    for (size_t i = 0; i < count && !found; i++)
        found = groups[i] == group;
    return found && group != NO_GROUP;
}

bool access_peer(const struct access *access, int fd, struct peer *out)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return false;
    *out = (struct peer){.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid, .rank = RANK_READER};

    size_t count;
    gid_t *groups = groups_of(fd, &count);
    if (is_in(access->members, out->gid, groups, count))
        out->rank = RANK_MEMBER;
    if (out->uid == 0 || out->uid == geteuid() || is_in(access->administrators, out->gid, groups, count))
        out->rank = RANK_ADMINISTRATOR;
    free(groups);
    return true;
}

gid_t access_group(const struct access *access)
{
    return access->members != NO_GROUP ? access->members : access->administrators;
}

void access_explain(const struct access *access, enum rank needed, char *out, size_t size)
{
    gid_t gid = needed == RANK_ADMINISTRATOR ? access->administrators : access_group(access);
    const struct group *group = gid == NO_GROUP ? NULL : getgrgid(gid);
    if (gid == NO_GROUP)
        snprintf(out, size, "only root and uid %u may", (unsigned)geteuid());
    else if (group)
        snprintf(out, size, "members of the group %s may", group->gr_name);
    else
        snprintf(out, size, "members of the group with gid %u may", (unsigned)gid);
}
