/*
 * A protected call, from the beginning to the end.
 *
 *     registryd &           (without it everything works, but this process keeps its breaker to itself)
 *     ./minimal HOST PORT   (several at once, to see them share what they learn; `cbctl list` shows the breaker)
 */
#include <cbclient.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* The operation: 0 is a success, anything else a failure. Here: can the server be reached? */
static int reach(void *arg)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address;
    char **where = arg;
    if (getaddrinfo(where[1], where[2], &hints, &address) != 0)
        return CB_IGNORE; /* our own mistake says nothing about the server */
    int fd = socket(address->ai_family, address->ai_socktype, 0);
    int result = connect(fd, address->ai_addr, address->ai_addrlen);
    close(fd);
    freeaddrinfo(address);
    return result;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }

    /* An error with a handle is no reason to stop: the breaker then lives in this process alone. */
    cb_registry *registry;
    int error = cb_attach(NULL, &registry);
    if (error)
        fprintf(stderr, "not shared: %s\n", cb_last_error());
    if (!registry)
        return 1;

    /* The first process to come creates the breaker, the others find it. */
    cb_breaker *breaker;
    cb_get_or_create(registry, "minimal", "failure_threshold=3 open_timeout=5s", &breaker);
    if (!breaker) {
        fprintf(stderr, "%s\n", cb_last_error());
        return 1;
    }

    for (int i = 0; i < 10; i++) {
        int result;
        int answer = cb_call(breaker, reach, argv, &result);
        if (answer == CB_ADMITTED)
            printf("call %2d: %s\n", i + 1, result == 0 ? "reached" : "not reached");
        else
            printf("call %2d: %s, try again in %.1f s\n", i + 1, cb_answer_name(answer),
                   (double)cb_retry_after_ms(breaker) / 1000);
    }
    cb_detach(&registry);
    return 0;
}
