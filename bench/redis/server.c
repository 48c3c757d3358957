#include "server.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

#define PATIENCE 500 /* looks, 10 ms apart */

/* Debian's redis-tools has the server's program, too, under this name; it goes by what it is called as. Unlike the
 * package redis-server it starts no service when it is installed. */
#define PROGRAM "redis-check-rdb"

_Noreturn static void server_exec(const struct server *server)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDOUT_FILENO);
    execlp(PROGRAM, "redis-server", "--port", "0", "--unixsocket", server->socket, "--unixsocketperm", "700", "--dir",
           server->dir, "--save", "", "--appendonly", "no", "--daemonize", "no", (char *)NULL);
    perror(PROGRAM);
    _exit(127);
}

static bool answers(const struct server *server)
{
    redisContext *context = redisConnectUnix(server->socket);
    redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
    bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    if (context)
        redisFree(context);
    return good;
}

bool server_start(struct server *server)
{
    *server = (struct server){0};
    snprintf(server->dir, sizeof server->dir, "/tmp/registryd-bench-redis-XXXXXX");
    if (!mkdtemp(server->dir)) {
        server->dir[0] = '\0';
        return false;
    }
    snprintf(server->socket, sizeof server->socket, "%s/socket", server->dir);
    server->pid = child_fork(SIGKILL);
    if (server->pid == 0)
        server_exec(server);
    for (int i = 0; i < PATIENCE && server->pid > 0; i++) {
        if (answers(server))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    server_stop(server);
    return false;
}

void server_stop(struct server *server)
{
    child_end(&server->pid, SIGTERM);
    if (server->dir[0]) {
        unlink(server->socket);
        rmdir(server->dir);
    }
    server->dir[0] = '\0';
}
