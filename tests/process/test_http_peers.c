/* registryd over HTTP with peers that are slow, silent or many: others are answered all the same. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "libcbclient/cbclient.h"
#include "tests/folder.h"
#include "tests/process/web.h"

#define ANSWER_MS 2000 /* far less than any deadline of the daemon's; sanitizers are slow */

static struct daemon daemon_;
static unsigned port;

static void setup(void)
{
    daemon_start(&daemon_, "--http", "0", "--capacity", "256", NULL);
    port = web_port(&daemon_);
}

static void teardown(void)
{
    daemon_stop(&daemon_);
}

TestSuite(http_peers, .init = setup, .fini = teardown, .timeout = 90);

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void expect_answers(const char *while_)
{
    struct web web;
    long began = now_ms();
    web_get(&web, port, "/healthz");
    cr_expect(web.status == 200 && now_ms() - began < ANSWER_MS, "while %s: %d after %ld ms", while_, web.status,
              now_ms() - began);
    web_free(&web);
}

static bool has_ended(int fd)
{
    char byte;
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, 0) > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

/* Who has waited longest makes room, so the newest are there and the first are gone. */
Test(http_peers, a_thousand_connections_leave_room_for_those_who_ask)
{
    enum { CROWD = 1000 };
    static int crowd[CROWD];
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    unsigned before = process_descriptors(daemon_.pid);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = web_connect(port);
    expect_answers("a thousand others are connected");
    cr_expect(process_descriptors(daemon_.pid) < before + 160, "%u files are open, %u before",
              process_descriptors(daemon_.pid), before);
    cr_expect(has_ended(crowd[0]) && !has_ended(crowd[CROWD - 1]));
    for (int i = 0; i < CROWD; i++)
        close(crowd[i]);
    expect_answers("a thousand others have gone");
}

/* One byte now and then is not enough: the request as a whole has 10 s. */
Test(http_peers, a_request_that_takes_for_ever_loses_its_connection)
{
    static const char request[] =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct timespec pause = {.tv_nsec = 100000000};
    long began = now_ms();
    int slow = web_connect(port), silent = web_connect(port);
    for (size_t at = 0; now_ms() - began < 3L * HARNESS_DEADLINE_MS && !has_ended(slow); at++) {
        send(slow, &request[at < sizeof request - 2 ? at : sizeof request - 2], 1, MSG_NOSIGNAL);
        if (at % 20 == 0)
            expect_answers("one is slow");
        nanosleep(&pause, NULL);
    }
    cr_expect(now_ms() - began < 20000, "it went on for %ld ms", now_ms() - began);
    cr_expect(now_ms() - began > 8000, "it had only %ld ms", now_ms() - began);
    nanosleep(&pause, NULL);
    cr_expect(has_ended(silent));
    close(slow);
    close(silent);
}

/* A browser, and Prometheus, ask again on the connection that they have. */
Test(http_peers, a_connection_serves_one_request_after_the_other)
{
    static const char request[] = "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = web_connect(port);
    for (int i = 0; i < 5; i++) {
        char answer[4096];
        cr_assert(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
        ssize_t length = recv(fd, answer, sizeof answer - 1, 0);
        answer[length > 0 ? length : 0] = '\0';
        cr_expect(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "request %d: %s", i, answer);
    }
    close(fd);
}

/* They ask for long answers and do not read them. */
Test(http_peers, who_does_not_read_keeps_nobody_waiting)
{
    enum { READERS = 40 };
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int readers[READERS], small = 2048;
    cb_registry *registry;
    cr_assert(cb_attach(daemon_.registry, &registry) == 0);
    for (int i = 0; i < 200; i++) {
        char name[32];
        cb_breaker *breaker;
        snprintf(name, sizeof name, "breaker-%d", i);
        cr_assert(cb_get_or_create(registry, name, "timing=coarse", &breaker) == 0, "%s", cb_last_error());
    }
    for (int i = 0; i < READERS; i++) {
        readers[i] = web_connect(port);
        setsockopt(readers[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        for (int j = 0; j < 20; j++) /* one after the other, without reading an answer */
            send(readers[i], request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    for (int i = 0; i < 5; i++)
        expect_answers("many do not read");
    for (int i = 0; i < READERS; i++)
        close(readers[i]);
    cb_detach(&registry);
}

/* The reaper turns on while scrapes go on: a dead worker's call counts as soon as ever. */
static void call_and_die(void *arg)
{
    cb_registry *registry;
    cb_breaker *breaker;
    cb_permit permit;
    (void)arg;
    child_check(cb_attach(daemon_.registry, &registry) == 0);
    child_check(cb_get_or_create(registry, "victim", NULL, &breaker) == 0);
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
    raise(SIGKILL);
}

Test(http_peers, scrapes_do_not_keep_the_reaper)
{
    struct web web;
    json_t *value = NULL;
    json_int_t abandoned = 0;
    child_wait(fork_child(call_and_die, NULL));
    for (int i = 0; i < 200 && abandoned == 0; i++) {
        web_get(&web, port, "/metrics");
        cr_expect(web.status == 200);
        web_free(&web);
        value = web_get_json(port, "/api/v1/breakers/victim");
        abandoned = json_integer_value(json_object_get(json_object_get(value, "counts"), "abandoned"));
        json_decref(value);
    }
    cr_expect(abandoned == 1);
}

/* Asks on and reads all that comes, as fast as it can. */
static void read_greedily(void *arg)
{
    static const char request[] = "GET /api/v1/breakers HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char answer[1 << 20];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)arg;
    child_check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    for (;;) {
        send(fd, request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT);
        child_check(recv(fd, answer, sizeof answer, 0) > 0);
    }
}

/* There is always something to do for them, and the loop turns all the same. */
Test(http_peers, greedy_readers_do_not_keep_the_loop)
{
    enum { READERS = 3, PINGS = 20 };
    pid_t readers[READERS];
    cb_registry *registry;
    cr_assert(cb_attach(daemon_.registry, &registry) == 0);
    for (int i = 0; i < 250; i++) {
        char name[32];
        cb_breaker *breaker;
        snprintf(name, sizeof name, "breaker-%d", i);
        cr_assert(cb_get_or_create(registry, name, NULL, &breaker) == 0, "%s", cb_last_error());
    }
    for (int i = 0; i < READERS; i++)
        readers[i] = fork_child(read_greedily, NULL);
    for (int i = 0; i < PINGS; i++) {
        uint64_t took_ns = 0;
        int error = cb_ping(registry, &took_ns, NULL);
        cr_assert(error == 0 && took_ns < ANSWER_MS * UINT64_C(1000000), "ping %d: %d after %.0f ms", i, error,
                  (double)took_ns / 1e6);
        expect_answers("others read all they can");
    }
    for (int i = 0; i < READERS; i++) {
        kill(readers[i], SIGKILL);
        child_wait(readers[i]);
    }
    cb_detach(&registry);
}
