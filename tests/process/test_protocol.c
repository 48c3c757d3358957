/* The control protocol against a real daemon: every request, every refusal, every kind of hostile input. */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cbclient.h"
#include "tests/folder.h"
#include "tests/process/wire.h"

#define EXPECT_ERROR(code, wanted, error, part)                                                                        \
    cr_expect((code) == (wanted) && strstr(error, part), "%d, not %d with \"%s\": \"%s\"", code, wanted, part, error)

static struct daemon one;

static void start(void)
{
    daemon_start(&one, "--capacity", "4", (char *)NULL);
}

static void stop(void)
{
    daemon_stop(&one);
}

TestSuite(protocol, .init = start, .fini = stop);

/* ---- every request ---- */

Test(protocol, ping_tells_who_answers)
{
    int fd = wire_open(&one);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    Cb__Reply *reply = wire_ping(fd);
    cr_assert(reply->kind_case == CB__REPLY__KIND_PONG);
    cr_expect(reply->version == PROTOCOL_VERSION);
    cr_expect(reply->pong->pid == (uint32_t)one.pid);
    cr_expect(reply->pong->breakers == 1);
    cr_expect(reply->pong->workers == 0);
    cr_expect(*reply->pong->daemon_version != '\0');
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
}

Test(protocol, create_finds_what_exists_and_changes_nothing)
{
    int fd = wire_open(&one);
    Cb__Create create = CB__CREATE__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_CREATE;
    request.create = &create;
    create.name = (char[]){"payments"};
    create.policy = (char[]){"failure_threshold=3 open_timeout=30s"};
    Cb__Reply *reply = wire_ask(fd, &request);
    cr_assert(reply->kind_case == CB__REPLY__KIND_CREATED);
    cr_expect(!reply->created->existed);
    cr_expect_str_eq(reply->created->policy, ""); /* what was asked for */
    cb__reply__free_unpacked(reply, NULL);

    create.policy = (char[]){"failure_threshold=9"};
    reply = wire_ask(fd, &request);
    cr_assert(reply->kind_case == CB__REPLY__KIND_CREATED);
    cr_expect(reply->created->existed);
    cr_expect_str_eq(reply->created->policy, "failure_threshold=3");
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
}

static void expect_state(int fd, const char *name, unsigned state)
{
    Cb__Reply *reply = wire_show(fd, name);
    cr_assert(reply->kind_case == CB__REPLY__KIND_BREAKER, "%s", reply->error);
    cr_expect(reply->breaker->state == state, "%s is in state %u, not %u", name, reply->breaker->state, state);
    cb__reply__free_unpacked(reply, NULL);
}

Test(protocol, trip_opens_and_reset_closes)
{
    int fd = wire_open(&one);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    cr_assert(wire_create(fd, "b", "", NULL) == 0);
    cr_expect(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", "drill", NULL) == 0);
    expect_state(fd, "a", CB_OPEN);
    expect_state(fd, "b", CB_CLOSED);
    cr_expect(wire_control(fd, CB__REQUEST__KIND_RESET, "a", "", NULL) == 0);
    expect_state(fd, "a", CB_CLOSED);
    close(fd);
}

Test(protocol, reset_without_a_name_closes_every_breaker)
{
    int fd = wire_open(&one);
    for (const char *name = "a\0b\0c\0"; *name; name += 2) {
        cr_assert(wire_create(fd, name, "", NULL) == 0);
        cr_assert(wire_control(fd, CB__REQUEST__KIND_TRIP, name, "", NULL) == 0);
    }
    cr_expect(wire_control(fd, CB__REQUEST__KIND_RESET, "", "all is well", NULL) == 0);
    for (const char *name = "a\0b\0c\0"; *name; name += 2)
        expect_state(fd, name, CB_CLOSED);
    close(fd);
}

Test(protocol, override_is_shown_with_reason_and_time_left_until_it_ends)
{
    int fd = wire_open(&one);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    cr_expect(wire_override(fd, "a", CB_FORCED_OPEN, 3600000, "maintenance", NULL) == 0);
    Cb__Reply *reply = wire_show(fd, "a");
    cr_assert(reply->kind_case == CB__REPLY__KIND_BREAKER);
    cr_expect(reply->breaker->state == CB_FORCED_OPEN);
    cr_expect(reply->breaker->override_state == CB_FORCED_OPEN);
    cr_expect_str_eq(reply->breaker->override_reason, "maintenance");
    cr_expect(reply->breaker->override_left_ms > 3500000 && reply->breaker->override_left_ms <= 3600000);
    cb__reply__free_unpacked(reply, NULL);

    cr_expect(wire_override(fd, "a", CB_CLOSED, 0, "", NULL) == 0);
    reply = wire_show(fd, "a");
    cr_expect(reply->breaker->state == CB_CLOSED);
    cr_expect(reply->breaker->override_state == 0);
    cr_expect_str_eq(reply->breaker->override_reason, "");
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
}

Test(protocol, reset_and_trip_end_an_override)
{
    int fd = wire_open(&one);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    cr_expect(wire_override(fd, "a", CB_DISABLED, 0, "", NULL) == 0);
    expect_state(fd, "a", CB_DISABLED);
    cr_expect(wire_control(fd, CB__REQUEST__KIND_RESET, "a", "", NULL) == 0);
    expect_state(fd, "a", CB_CLOSED);
    cr_expect(wire_override(fd, "a", CB_METRICS_ONLY, 0, "", NULL) == 0);
    expect_state(fd, "a", CB_METRICS_ONLY);
    cr_expect(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", "", NULL) == 0);
    expect_state(fd, "a", CB_OPEN);
    close(fd);
}

/* Nor does it come back with a later one of the same kind that has no reason. */
Test(protocol, an_override_has_its_own_reason)
{
    int fd = wire_open(&one);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    cr_assert(wire_override(fd, "a", CB_DISABLED, 0, "the first", NULL) == 0);
    cr_assert(wire_control(fd, CB__REQUEST__KIND_RESET, "a", "", NULL) == 0);
    cr_assert(wire_override(fd, "a", CB_DISABLED, 0, "", NULL) == 0);
    Cb__Reply *reply = wire_show(fd, "a");
    cr_expect(reply->breaker->override_state == CB_DISABLED);
    cr_expect_str_eq(reply->breaker->override_reason, "");
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
}

Test(protocol, a_new_policy_keeps_the_state)
{
    int fd = wire_open(&one);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    cr_assert(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", "", NULL) == 0);
    cr_expect(wire_set_policy(fd, "a", "failure_threshold=7", NULL) == 0);
    Cb__Reply *reply = wire_show(fd, "a");
    cr_expect(reply->breaker->state == CB_OPEN);
    cr_expect_str_eq(reply->breaker->policy, "failure_threshold=7");
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
}

Test(protocol, a_removed_breaker_is_gone_and_its_room_is_free)
{
    int fd = wire_open(&one);
    for (int i = 0; i < 20; i++) { /* five times the capacity */
        cr_assert(wire_create(fd, "a", "", NULL) == 0);
        cr_assert(wire_control(fd, CB__REQUEST__KIND_REMOVE, "a", "", NULL) == 0);
    }
    Cb__Reply *reply = wire_show(fd, "a");
    cr_expect(reply->code == CB_ENOTFOUND);
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
}

static Cb__Reply *list(int fd, const char *after, unsigned limit)
{
    Cb__List message = CB__LIST__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    message.after = (char *)after;
    message.limit = limit;
    request.kind_case = CB__REQUEST__KIND_LIST;
    request.list = &message;
    Cb__Reply *reply = wire_ask(fd, &request);
    cr_assert(reply->kind_case == CB__REPLY__KIND_BREAKERS, "%s", reply->error);
    return reply;
}

Test(protocol, list_is_sorted_and_goes_page_by_page)
{
    int fd = wire_open(&one);
    for (const char *name = "c\0a\0d\0b\0"; *name; name += 2)
        cr_assert(wire_create(fd, name, "", NULL) == 0);
    Cb__Reply *first = list(fd, "", 3), *second = list(fd, "c", 0);
    cr_assert(first->breakers->n_breakers == 3 && second->breakers->n_breakers == 1);
    cr_expect_str_eq(first->breakers->breakers[0]->name, "a");
    cr_expect_str_eq(first->breakers->breakers[2]->name, "c");
    cr_expect(first->breakers->more);
    cr_expect_str_eq(second->breakers->breakers[0]->name, "d");
    cr_expect(!second->breakers->more);
    cb__reply__free_unpacked(first, NULL);
    cb__reply__free_unpacked(second, NULL);
    close(fd);
}

/* Longest names, policies and reasons, more than a packet holds: every page fits, and none is left out. */
Test(protocol, large_lists_come_in_packets)
{
    enum { MANY = 300 };
    char name[64], after[64] = "", reason[128];
    struct daemon large;
    daemon_start(&large, "--capacity", "300", (char *)NULL);
    int fd = wire_open(&large);
    memset(reason, 'r', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%060d-%02x", i, i & 0xff);
        cr_assert(wire_create(fd, name,
                              "failure_threshold=123456 open_timeout=1234567ms jitter=12 call_timeout=1234567ms",
                              NULL) == 0);
        cr_assert(wire_override(fd, name, CB_DISABLED, 0, reason, NULL) == 0);
    }
    size_t found = 0, pages = 0;
    for (bool more = true; more; pages++) {
        Cb__Reply *reply = list(fd, after, 0);
        cr_assert(reply->breakers->n_breakers > 0);
        found += reply->breakers->n_breakers;
        snprintf(after, sizeof after, "%s", reply->breakers->breakers[reply->breakers->n_breakers - 1]->name);
        more = reply->breakers->more;
        cb__reply__free_unpacked(reply, NULL);
    }
    cr_expect(found == MANY && pages > 1, "%zu breakers on %zu pages", found, pages);
    close(fd);
    daemon_stop(&large);
}

Test(protocol, attach_watches_the_number_that_this_process_has)
{
    cb_registry *registry;
    int fd = wire_open(&one);
    Cb__Attach attach = CB__ATTACH__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_ATTACH;
    request.attach = &attach;
    cr_assert(cb_attach(one.registry, &registry) == 0);
    cb_breaker *breaker;
    cb_permit permit;
    cr_assert(cb_get_or_create(registry, "a", NULL, &breaker) == 0);
    cr_assert(cb_acquire(breaker, &permit) == CB_ADMITTED);

    unsigned watched = 0;
    for (attach.worker = 0; attach.worker < 4096; attach.worker++) {
        Cb__Reply *reply = wire_ask(fd, &request);
        cr_assert(reply->kind_case == CB__REPLY__KIND_ATTACHED, "%s", reply->error);
        watched += reply->attached->watched;
        cb__reply__free_unpacked(reply, NULL);
    }
    cr_expect(watched == 1, "%u numbers are watched", watched);
    char error[512];
    attach.worker = UINT32_MAX;
    int code = wire_code(fd, &request, error);
    EXPECT_ERROR(code, -EINVAL, error, "4294967295");
    cb_success(&permit);
    cb_detach(&registry);
    close(fd);
}

/* ---- errors name what was wrong, and the connection goes on ---- */

Test(protocol, a_bad_name_is_shown_with_what_is_allowed)
{
    char long_name[10001], error[512];
    int fd = wire_open(&one);
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    EXPECT_ERROR(wire_create(fd, "", "", error), CB_ENAME, error, "0 bytes");
    EXPECT_ERROR(wire_create(fd, "two words", "", error), CB_ENAME, error, "two words");
    EXPECT_ERROR(wire_create(fd, "new\nline", "", error), CB_ENAME, error, "new?line");
    EXPECT_ERROR(wire_create(fd, long_name, "", error), CB_ENAME, error, "10000 bytes");
    long_name[64] = '\0';
    EXPECT_ERROR(wire_create(fd, long_name, "", error), CB_ENAME, error, "64 bytes");
    long_name[63] = '\0';
    cr_expect(wire_create(fd, long_name, "", error) == 0, "%s", error);
    close(fd);
}

Test(protocol, a_bad_policy_is_named_by_its_key)
{
    char error[512];
    int fd = wire_open(&one);
    EXPECT_ERROR(wire_create(fd, "a", "failure_treshold=3", error), CB_EPOLICY, error, "failure_treshold");
    EXPECT_ERROR(wire_create(fd, "a", "jitter=101", error), CB_EPOLICY, error, "jitter");
    EXPECT_ERROR(wire_create(fd, "a", "jitter=1 jitter=2", error), CB_EPOLICY, error, "jitter");
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    EXPECT_ERROR(wire_set_policy(fd, "a", "open_timeout=soon", error), CB_EPOLICY, error, "open_timeout");
    close(fd);
}

Test(protocol, what_is_not_there_is_named)
{
    char error[512];
    int fd = wire_open(&one);
    EXPECT_ERROR(wire_set_policy(fd, "ghost", "", error), CB_ENOTFOUND, error, "ghost");
    EXPECT_ERROR(wire_control(fd, CB__REQUEST__KIND_TRIP, "ghost", "", error), CB_ENOTFOUND, error, "ghost");
    EXPECT_ERROR(wire_control(fd, CB__REQUEST__KIND_RESET, "ghost", "", error), CB_ENOTFOUND, error, "ghost");
    EXPECT_ERROR(wire_control(fd, CB__REQUEST__KIND_REMOVE, "ghost", "", error), CB_ENOTFOUND, error, "ghost");
    EXPECT_ERROR(wire_override(fd, "ghost", CB_DISABLED, 0, "", error), CB_ENOTFOUND, error, "ghost");
    close(fd);
}

Test(protocol, a_full_registry_says_so_and_goes_on)
{
    char error[512];
    int fd = wire_open(&one);
    for (const char *name = "a\0b\0c\0d\0"; *name; name += 2)
        cr_assert(wire_create(fd, name, "", NULL) == 0);
    int code = wire_create(fd, "e", "", error);
    cr_expect(code == CB_EFULL && *error, "%d: %s", code, error);
    cr_expect(wire_create(fd, "d", "", error) == 0, "%s", error);
    close(fd);
}

Test(protocol, a_reason_is_short_and_has_no_control_characters)
{
    char reason[129], error[512];
    int fd = wire_open(&one);
    memset(reason, 'r', sizeof reason - 1);
    reason[128] = '\0';
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    EXPECT_ERROR(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", reason, error), CB_EREASON, error, "128 bytes");
    EXPECT_ERROR(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", "\033[31mred", error), CB_EREASON, error, "control");
    EXPECT_ERROR(wire_override(fd, "a", CB_DISABLED, 0, "c1 \xc2\x9b", error), CB_EREASON, error, "control");
    reason[127] = '\0';
    expect_state(fd, "a", CB_CLOSED);
    cr_expect(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", reason, error) == 0, "%s", error);
    cr_expect(wire_control(fd, CB__REQUEST__KIND_TRIP, "a", "Wartung, läuft bis zwölf", error) == 0, "%s", error);
    close(fd);
}

Test(protocol, an_override_is_a_state_that_can_be_imposed_for_a_time)
{
    char error[512];
    int fd = wire_open(&one);
    cr_assert(wire_create(fd, "a", "", NULL) == 0);
    EXPECT_ERROR(wire_override(fd, "a", CB_OPEN, 0, "", error), -EINVAL, error, "forced-open");
    EXPECT_ERROR(wire_override(fd, "a", 6, 0, "", error), -EINVAL, error, "6 is no override");
    EXPECT_ERROR(wire_override(fd, "a", CB_DISABLED, UINT64_MAX, "", error), -EINVAL, error, "7 days");
    expect_state(fd, "a", CB_CLOSED);
    close(fd);
}

/* ---- hostile input costs its sender the connection, and nobody else anything ---- */

static bool others_are_answered(int other)
{
    Cb__Reply *reply = wire_ping(other);
    bool answered = reply->kind_case == CB__REPLY__KIND_PONG;
    cb__reply__free_unpacked(reply, NULL);
    return answered;
}

/* The connection is refused with `code`, then over; `other` notices nothing. */
static void expect_dropped(int fd, int other, int code)
{
    Cb__Reply *reply = wire_reply(fd);
    cr_expect(reply && reply->code == code, "code %d, not %d", reply ? reply->code : 0, code);
    cr_expect(reply && *reply->error != '\0');
    if (reply)
        cb__reply__free_unpacked(reply, NULL);
    cr_expect(wire_reply(fd) == NULL, "the connection goes on");
    cr_expect(others_are_answered(other));
    close(fd);
}

static void send_bytes(int fd, const void *bytes, size_t length)
{
    cr_assert(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length, "send: %s", strerror(errno));
}

static size_t pack_create(uint8_t *out, unsigned version, const char *name)
{
    Cb__Create create = CB__CREATE__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.version = version;
    create.name = (char *)name;
    request.kind_case = CB__REQUEST__KIND_CREATE;
    request.create = &create;
    return cb__request__pack(&request, out);
}

Test(protocol, another_version_is_told_apart)
{
    uint8_t bytes[64];
    int other = wire_open(&one);
    for (unsigned version = 0; version <= 2; version += 2) {
        int fd = wire_open(&one);
        send_bytes(fd, bytes, pack_create(bytes, version, "a"));
        expect_dropped(fd, other, CB_EVERSION);
    }
    close(other);
}

Test(protocol, a_request_of_an_unknown_kind_is_refused)
{
    static const uint8_t none[] = {0x08, 1}, unknown[] = {0x08, 1, 0xda, 0x02, 0}; /* field 43, empty */
    int other = wire_open(&one), fd = wire_open(&one);
    send_bytes(fd, none, sizeof none);
    expect_dropped(fd, other, CB_EPROTOCOL);
    fd = wire_open(&one);
    send_bytes(fd, unknown, sizeof unknown);
    expect_dropped(fd, other, CB_EPROTOCOL);
    close(other);
}

Test(protocol, an_unknown_field_is_passed_over)
{
    uint8_t bytes[64];
    int fd = wire_open(&one);
    size_t length = pack_create(bytes, PROTOCOL_VERSION, "a");
    memcpy(bytes + length, (const uint8_t[]){0xd8, 0x02, 7}, 3); /* field 43: 7 */
    send_bytes(fd, bytes, length + 3);
    Cb__Reply *reply = wire_reply(fd);
    cr_expect(reply && reply->kind_case == CB__REPLY__KIND_CREATED);
    cb__reply__free_unpacked(reply, NULL);
    close(fd);
}

Test(protocol, truncated_requests_are_refused)
{
    uint8_t bytes[64];
    size_t length = pack_create(bytes, PROTOCOL_VERSION, "payments");
    int other = wire_open(&one);
    for (size_t cut = 3; cut < length; cut++) { /* the first two bytes alone are a request without a kind */
        int fd = wire_open(&one);
        send_bytes(fd, bytes, cut);
        expect_dropped(fd, other, CB_EPROTOCOL);
    }
    close(other);
}

/* More requests behind the bad one must not cost its sender the answer. */
Test(protocol, the_refusal_is_read_in_spite_of_requests_behind_it)
{
    static const uint8_t unknown[] = {0x08, 1};
    uint8_t bytes[64];
    int other = wire_open(&one), fd = wire_open(&one);
    int status;
    kill(one.pid, SIGSTOP);
    cr_assert(waitpid(one.pid, &status, WUNTRACED) == one.pid && WIFSTOPPED(status));
    send_bytes(fd, unknown, sizeof unknown);
    for (int i = 0; i < 3; i++)
        send_bytes(fd, bytes, pack_create(bytes, PROTOCOL_VERSION, "a"));
    kill(one.pid, SIGCONT);
    struct pollfd closed = {.fd = fd}; /* the answer is read only after the daemon has closed its end */
    cr_assert(poll(&closed, 1, HARNESS_DEADLINE_MS) == 1 && (closed.revents & POLLHUP));
    expect_dropped(fd, other, CB_EPROTOCOL);
    close(other);
}

Test(protocol, a_nul_in_a_name_is_refused)
{
    uint8_t bytes[64];
    size_t length = pack_create(bytes, PROTOCOL_VERSION, "pay ments");
    *(uint8_t *)memchr(bytes, ' ', length) = '\0';
    int other = wire_open(&one), fd = wire_open(&one);
    send_bytes(fd, bytes, length);
    expect_dropped(fd, other, CB_EPROTOCOL);
    Cb__Reply *reply = wire_show(other, "pay");
    cr_expect(reply->code == CB_ENOTFOUND, "what stands before the NUL was created");
    cb__reply__free_unpacked(reply, NULL);
    close(other);
}

Test(protocol, oversized_requests_are_refused)
{
    static char bytes[PACKET_SIZE + 1];
    int other = wire_open(&one), fd = wire_open(&one);
    memset(bytes, 'x', sizeof bytes);
    send_bytes(fd, bytes, sizeof bytes);
    expect_dropped(fd, other, CB_EPROTOCOL);
    close(other);
}

Test(protocol, random_bytes_hurt_nobody)
{
    unsigned seed = 20261120;
    int other = wire_open(&one);
    for (int round = 0; round < 500; round++) {
        uint8_t bytes[256] = {0x08, 1};
        size_t length = 2 + (size_t)rand_r(&seed) % (sizeof bytes - 2);
        for (size_t i = round % 2 ? 0 : 2; i < length; i++)
            bytes[i] = (uint8_t)rand_r(&seed);
        int fd = wire_open(&one);
        send_bytes(fd, bytes, length);
        Cb__Reply *reply = wire_reply(fd);
        if (reply)
            cb__reply__free_unpacked(reply, NULL);
        close(fd);
    }
    cr_expect(others_are_answered(other));
    close(other);
}

Test(protocol, descriptors_that_come_along_are_closed)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(8 * sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(8 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    int fd = wire_open(&one), fds[8];
    for (int i = 0; i < 8; i++)
        fds[i] = STDIN_FILENO;
    memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
    cr_assert(others_are_answered(fd));
    unsigned before = process_descriptors(one.pid);
    for (int i = 0; i < 20; i++) {
        uint8_t bytes[64];
        struct iovec part = {bytes, pack_create(bytes, PROTOCOL_VERSION, "a")};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
        cr_assert(sendmsg(fd, &message, MSG_NOSIGNAL) > 0, "%s", strerror(errno));
        Cb__Reply *reply = wire_reply(fd);
        cr_expect(reply && reply->code == 0);
        cb__reply__free_unpacked(reply, NULL);
    }
    cr_expect(process_descriptors(one.pid) == before, "%u descriptors are now %u", before,
              process_descriptors(one.pid));
    close(fd);
}

/* Small requests with large answers. */
static size_t pack_list(uint8_t *out)
{
    Cb__List message = CB__LIST__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.version = PROTOCOL_VERSION;
    request.kind_case = CB__REQUEST__KIND_LIST;
    request.list = &message;
    return cb__request__pack(&request, out);
}

/* A peer that asks and asks, and never reads, waits for itself alone; all its answers come once it does. */
Test(protocol, a_peer_that_does_not_read_holds_up_nobody)
{
    char reason[128];
    uint8_t bytes[64];
    size_t length = pack_list(bytes);
    int other = wire_open(&one), fd = wire_open(&one), sent = 0, answered = 0;
    memset(reason, 'r', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    for (const char *name = "a\0b\0c\0d\0"; *name; name += 2) {
        cr_assert(wire_create(other, name, "", NULL) == 0);
        cr_assert(wire_override(other, name, CB_DISABLED, 0, reason, NULL) == 0);
    }
    for (int full = 0; full < 100;) { /* as often as that nothing more could be sent: both directions are full */
        if (send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
            sent++;
            continue;
        }
        cr_assert(errno == EAGAIN, "after %d requests: %s", sent, strerror(errno));
        cr_expect(others_are_answered(other));
        full++;
    }
    for (; answered < sent; answered++) {
        Cb__Reply *reply = wire_reply(fd);
        cr_assert(reply, "the connection ended after %d of %d answers", answered, sent);
        cb__reply__free_unpacked(reply, NULL);
    }
    close(other);
    close(fd);
}

/* Far more connections than there is room for: the oldest make it, the newest is served. */
Test(protocol, idle_connections_make_room)
{
    enum { MANY = 1100 };
    static int fds[MANY];
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int i = 0; i < MANY; i++) {
        fds[i] = wire_open(&one);
        cr_assert(others_are_answered(fds[i]));
    }
    cr_expect(others_are_answered(fds[MANY - 1]));
    cr_expect(wire_reply(fds[0]) == NULL, "the one that was idle longest is still there");
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

/* ---- who may do what ---- */

struct caller {
    const struct daemon *daemon;
    uid_t uid;
    const char *group; /* NULL: none */
};

static void become(const struct caller *caller)
{
    const struct group *group = caller->group ? getgrnam(caller->group) : NULL;
    gid_t gid = group ? group->gr_gid : 0;
    child_check(setgroups(group ? 1 : 0, &gid) == 0);
    child_check(setresgid(65534, 65534, 65534) == 0);
    child_check(setresuid(caller->uid, caller->uid, caller->uid) == 0);
}

static void be_member(void *arg)
{
    const struct caller *caller = arg;
    char error[512];
    become(caller);
    int fd = wire_connect(caller->daemon);
    child_check(fd >= 0);
    child_check(others_are_answered(fd));
    child_check(wire_create(fd, "mine", "", NULL) == 0);
    child_check(wire_control(fd, CB__REQUEST__KIND_TRIP, "mine", "", error) == CB_EDENIED);
    child_check(strstr(error, "adm") && strstr(error, "trip") && strstr(error, "12345"));
    child_check(wire_set_policy(fd, "mine", "", NULL) == CB_EDENIED);
    child_check(wire_override(fd, "mine", CB_DISABLED, 0, "", NULL) == CB_EDENIED);
    child_check(wire_control(fd, CB__REQUEST__KIND_REMOVE, "mine", "", NULL) == CB_EDENIED);
    child_check(wire_control(fd, CB__REQUEST__KIND_RESET, "", "", NULL) == CB_EDENIED);
}

static void be_stranger(void *arg)
{
    const struct caller *caller = arg;
    become(caller);
    child_check(wire_connect(caller->daemon) == -EACCES);
}

static void be_administrator(void *arg)
{
    const struct caller *caller = arg;
    const struct group *members = getgrnam("games");
    gid_t gid = members->gr_gid;
    const struct group *administrators = getgrnam("adm");
    child_check(setgroups(2, (gid_t[]){gid, administrators->gr_gid}) == 0);
    child_check(setresgid(65534, 65534, 65534) == 0 && setresuid(caller->uid, caller->uid, caller->uid) == 0);
    int fd = wire_connect(caller->daemon);
    child_check(fd >= 0);
    child_check(wire_create(fd, "ours", "", NULL) == 0);
    child_check(wire_control(fd, CB__REQUEST__KIND_TRIP, "ours", "", NULL) == 0);
    child_check(wire_control(fd, CB__REQUEST__KIND_REMOVE, "ours", "", NULL) == 0);
}

Test(permissions, go_by_the_peers_uid_and_groups)
{
    char config[64] = "/tmp/registryd-test-conf-XXXXXX";
    if (geteuid() != 0)
        cr_skip_test("only root can be somebody else");
    int file = mkstemp(config);
    cr_assert(file >= 0 && dprintf(file, "[registryd]\nmembers = games\nadministrators = adm\n") > 0);
    struct daemon daemon;
    daemon_start(&daemon, "--config", config, (char *)NULL);
    chmod(daemon.dir, 0755); /* mkdtemp's is closed to others */
    struct caller stranger = {&daemon, 65534, NULL}, member = {&daemon, 12345, "games"}, admin = {&daemon, 12346, NULL};
    cr_expect(child_wait(fork_child(be_stranger, &stranger)) == 0);
    cr_expect(child_wait(fork_child(be_member, &member)) == 0);
    cr_expect(child_wait(fork_child(be_administrator, &admin)) == 0);
    daemon_stop(&daemon);
    unlink(config);
    close(file);
}
