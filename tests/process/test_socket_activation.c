/* The daemon with a socket that systemd listens on and passes. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cbclient.h"
#include "tests/process/wire.h"

/* In a child: become a daemon to which `fd` is passed. */
struct passed {
    const struct daemon *daemon;
    int fd;
};

static void become_daemon(void *arg)
{
    const struct passed *passed = arg;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    child_check(dup2(passed->fd, 3) == 3);
    execl(REGISTRYD_PATH, REGISTRYD_PATH, "--registry", passed->daemon->registry, "--runtime-dir", passed->daemon->dir,
          (char *)NULL);
    _exit(127);
}

/* A daemon's name and folder, and a socket in it that listens; the daemon itself has ended. */
static int listen_for(struct daemon *daemon, char path[180])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    daemon_start(daemon, (char *)NULL);
    daemon_term(daemon);
    snprintf(path, 180, "%s/%s.sock", daemon->dir, daemon->registry);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int made = socket(AF_UNIX, SOCK_SEQPACKET, 0), fd = fcntl(made, F_DUPFD, 4); /* 3 is where it is passed */
    close(made);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0);
    return fd;
}

Test(socket_activation, a_passed_socket_is_served_and_left_in_place)
{
    struct daemon daemon;
    cb_registry *registry;
    char path[180];
    int socket = listen_for(&daemon, path);
    daemon.pid = fork_child(become_daemon, &(struct passed){&daemon, socket});
    int fd = wire_open(&daemon);
    Cb__Reply *reply = wire_ping(fd); /* waited in the socket's queue until the daemon was there */
    cr_expect(reply->pong && reply->pong->pid == (uint32_t)daemon.pid);
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
    cr_expect(cb_attach(daemon.registry, &registry) == 0 && cb_ping(registry, NULL, NULL) == 0, "%s", cb_last_error());
    cb_detach(&registry);
    cr_expect(daemon_term(&daemon) == 0);
    cr_expect(access(path, F_OK) == 0, "the socket is systemd's");
    close(socket);
    unlink(path);
    daemon_stop(&daemon);
}

Test(socket_activation, something_else_is_refused)
{
    struct daemon daemon;
    char path[180];
    int socket = listen_for(&daemon, path), ends[2];
    cr_assert(pipe(ends) == 0);
    pid_t pid = fork_child(become_daemon, &(struct passed){&daemon, ends[0]});
    cr_expect(child_wait(pid) == 1);
    close(socket);
    unlink(path);
    daemon_stop(&daemon);
}
