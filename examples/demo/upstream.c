#include "upstream.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"

#define CONNECTIONS  128
#define REQUEST_SIZE 2048

enum mode { MODE_OK, MODE_FAIL, MODE_HANG };

struct connection {
    int fd;
    size_t length;
    char request[REQUEST_SIZE];
};

struct service {
    int listener;
    enum mode mode;
    unsigned count;
    struct connection connections[CONNECTIONS];
};

static void answer(int fd, const char *status)
{
    char text[128];
    int length = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
    (void)!send(fd, text, (size_t)length, MSG_NOSIGNAL);
}

static bool mode_set(struct service *service, const char *word)
{
    static const char *const words[] = {[MODE_OK] = "ok ", [MODE_FAIL] = "fail ", [MODE_HANG] = "hang "};
    for (enum mode mode = MODE_OK; mode <= MODE_HANG; mode++) {
        if (strncmp(word, words[mode], strlen(words[mode])) == 0) {
            service->mode = mode;
            return true;
        }
    }
    return false;
}

static void request_handle(struct service *service, const struct connection *connection)
{
    static const char control[] = "POST /mode?";
    if (strncmp(connection->request, control, strlen(control)) == 0)
        answer(connection->fd, mode_set(service, connection->request + strlen(control)) ? "200 OK" : "400 Bad Request");
    else if (service->mode == MODE_OK)
        answer(connection->fd, "200 OK");
    else if (service->mode == MODE_FAIL)
        answer(connection->fd, "503 Service Unavailable");
}

/* False: the peer is gone, or sent more than a request. */
static bool connection_read(struct service *service, struct connection *connection)
{
    size_t room = sizeof connection->request - 1 - connection->length;
    ssize_t got = recv(connection->fd, connection->request + connection->length, room, MSG_DONTWAIT);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    connection->length += (size_t)got;
    connection->request[connection->length] = '\0';
    if (!strstr(connection->request, "\r\n\r\n"))
        return connection->length < sizeof connection->request - 1;
    request_handle(service, connection);
    connection->length = 0;
    return true;
}

static void connection_accept(struct service *service)
{
    int fd = accept4(service->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        service->connections[service->count++] = (struct connection){.fd = fd};
}

static void connection_drop(struct service *service, unsigned i)
{
    close(service->connections[i].fd);
    service->connections[i] = service->connections[--service->count];
}

static void service_turn(struct service *service)
{
    struct pollfd fds[CONNECTIONS + 1];
    unsigned count = service->count;
    for (unsigned i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = service->connections[i].fd, .events = POLLIN};
    fds[count] = (struct pollfd){.fd = service->listener, .events = count < CONNECTIONS ? POLLIN : 0};
    if (poll(fds, count + 1, -1) < 0)
        return;
    for (unsigned i = count; i-- > 0;) /* from the end: a drop moves the last one, which has had its turn */
        if (fds[i].revents && !connection_read(service, &service->connections[i]))
            connection_drop(service, i);
    if (fds[count].revents)
        connection_accept(service);
}

static int listener_open(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, CONNECTIONS) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

int upstream_start(struct upstream *upstream)
{
    static struct service service;
    int listener = listener_open(&upstream->port);
    if (listener < 0)
        return listener;
    pid_t pid = child_fork(SIGKILL);
    if (pid == 0) {
        prctl(PR_SET_NAME, "upstream");
        service.listener = listener;
        for (;;)
            service_turn(&service);
    }
    close(listener);
    upstream->pid = pid;
    return pid < 0 ? -EAGAIN : 0;
}

void upstream_stop(struct upstream *upstream)
{
    child_end(&upstream->pid, SIGKILL);
}

int upstream_tell(const struct upstream *upstream, const char *mode)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/mode?%s", upstream->port, mode);
    CURL *curl = curl_easy_init();
    if (!curl)
        return -EIO;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 2000L);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? 0 : -EIO;
}
