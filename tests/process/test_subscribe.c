/* Subscriptions: a wake when something has happened, at most one a turn of the daemon, and none to whoever does not read. */
#include <poll.h>
#include <unistd.h>

#include "tests/process/wire.h"

static struct daemon one;

static void start(void)
{
    daemon_start(&one, "--capacity", "4", (char *)NULL);
}

static void stop(void)
{
    daemon_stop(&one);
}

TestSuite(subscribe, .init = start, .fini = stop);

static int subscribe(void)
{
    Cb__Subscribe subscribe = CB__SUBSCRIBE__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_SUBSCRIBE;
    request.subscribe = &subscribe;
    int fd = wire_open(&one);
    cr_assert_eq(wire_code(fd, &request, NULL), 0);
    return fd;
}

static void expect_wake(int fd)
{
    Cb__Reply *reply = wire_reply(fd);
    cr_assert(reply && reply->kind_case == CB__REPLY__KIND_WAKE && reply->code == 0);
    cb__reply__free_unpacked(reply, NULL);
}

static bool has_packet(int fd)
{
    struct pollfd ready = {fd, POLLIN, 0};
    return poll(&ready, 1, 0) > 0;
}

Test(subscribe, wakes_those_who_asked)
{
    int first = subscribe(), second = subscribe(), silent = wire_open(&one), operator= wire_open(&one);
    cr_assert(!has_packet(first), "nothing has happened");
    cr_assert_eq(wire_create(operator, "b", "", NULL), 0);
    expect_wake(first);
    expect_wake(second);
    cr_assert_eq(wire_control(operator, CB__REQUEST__KIND_TRIP, "b", "", NULL), 0);
    expect_wake(first);
    expect_wake(second);
    cr_assert(!has_packet(silent));
    cb__reply__free_unpacked(wire_ping(first), NULL); /* it is a connection like every other */
    close(first);
    cr_assert_eq(wire_control(operator, CB__REQUEST__KIND_RESET, "b", "", NULL), 0);
    expect_wake(second);
    close(second);
    close(silent);
    close(operator);
}

#define ROUNDS 2000

Test(subscribe, who_does_not_read_costs_nobody_anything)
{
    int deaf = subscribe(), operator= wire_open(&one);
    cr_assert_eq(wire_create(operator, "b", "", NULL), 0);
    for (int i = 0; i < ROUNDS; i++)
        cr_assert_eq(wire_control(operator, i % 2 ? CB__REQUEST__KIND_RESET : CB__REQUEST__KIND_TRIP, "b", "", NULL),
                     0);
    int wakes = 0;
    for (; has_packet(deaf); wakes++)
        expect_wake(deaf);
    cr_assert(wakes > 0 && wakes < ROUNDS, "%d wakes were kept for it", wakes);
    cr_assert_eq(wire_control(operator, CB__REQUEST__KIND_TRIP, "b", "", NULL), 0);
    expect_wake(deaf);
    close(deaf);
    close(operator);
}
