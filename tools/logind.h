/* systemd-logind's RemoveIPC: shared memory of users that log out. */
#ifndef TOOLS_LOGIND_H
#define TOOLS_LOGIND_H

#include <stdbool.h>
#include <sys/types.h>

/* Will the shared memory of this user go with the last of their sessions? It does unless the user is a system user or
 * lingers, logind is not there, or its configuration says RemoveIPC=no. */
bool logind_removes(uid_t uid);

#endif
