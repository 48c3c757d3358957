/*
 * The socket in hostile hands: whatever a peer sends, or does not send, costs it its connection; the daemon's memory and
 * descriptors stay bounded and come back to where they were, and others are answered as if nothing were.
 */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "core/clock.h"
#include "tests/folder.h"
#include "tests/process/wire.h"

#define PINGS           300
#define TYPICAL_MS      10.0  /* the median */
#define WORST_MS        500.0 /* on a busy machine, with sanitizers */
#define GROWTH_KIB      8192  /* of the daemon, for good */
#define ENDS_BY_MS      8000  /* the daemon's deadlines are 5 s */
#define CONNECTIONS     10000
#define USERS           5
#define DESCRIPTORS_MAX 1298 /* 1,024 connections, and the daemon's own */

static struct daemon one;

static void start(void)
{
    char name[16];
    daemon_start(&one, "--capacity", "256", (char *)NULL);
    int fd = wire_open(&one);
    for (int i = 0; i < 200; i++) { /* so that lists are long */
        snprintf(name, sizeof name, "breaker-%d", i);
        cr_assert(wire_create(fd, name, "", NULL) == 0);
    }
    close(fd);
}

static void stop(void)
{
    daemon_stop(&one);
}

TestSuite(abuse, .init = start, .fini = stop, .timeout = 60);

/* ---- the daemon's vital signs ---- */

static double now_ms(void)
{
    return (double)clock_read_ns(CLOCK_MONOTONIC) / 1e6;
}

static long resident_kib(const struct daemon *daemon)
{
    char path[64];
    long pages = 0, shared = 0, all = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)daemon->pid);
    FILE *file = fopen(path, "re");
    cr_assert(file && fscanf(file, "%ld %ld %ld", &all, &pages, &shared) == 3);
    fclose(file);
    return (pages - shared) * sysconf(_SC_PAGESIZE) / 1024;
}

static void expect_descriptors(const struct daemon *daemon, unsigned wanted)
{
    double until = now_ms() + ENDS_BY_MS;
    while (process_descriptors(daemon->pid) != wanted && now_ms() < until)
        usleep(1000);
    cr_expect(process_descriptors(daemon->pid) == wanted, "%u descriptors are now %u", wanted,
              process_descriptors(daemon->pid));
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* A client that behaves asks `PINGS` times; it is answered soon, each time. */
static void expect_answers(int fd, const struct daemon *daemon)
{
    double took[PINGS];
    unsigned most = 0;
    for (int i = 0; i < PINGS; i++) {
        double began = now_ms();
        cb__reply__free_unpacked(wire_ping(fd), NULL);
        took[i] = now_ms() - began;
        unsigned descriptors = i % 30 ? 0 : process_descriptors(daemon->pid);
        most = descriptors > most ? descriptors : most;
        usleep(1000);
    }
    qsort(took, PINGS, sizeof *took, compare);
    cr_expect(took[PINGS / 2] < TYPICAL_MS, "the median answer took %.1f ms", took[PINGS / 2]);
    cr_expect(took[PINGS - 1] < WORST_MS, "the slowest answer took %.1f ms", took[PINGS - 1]);
    cr_expect(most <= DESCRIPTORS_MAX, "%u descriptors", most);
}

/* ---- attacking ---- */

/* One round of an attack, by a child; `fd` is a new connection, closed afterwards. */
typedef void attack_round(int fd, unsigned *seed);

struct attacker {
    attack_round *attack;
};

static int connect_raw(void)
{
    char path[180];
    snprintf(path, sizeof path, "%s/%s.sock", one.dir, one.registry);
    return packet_connect(path, 1000);
}

static void attack_for_ever(void *arg)
{
    const struct attacker *attacker = arg;
    unsigned seed = 20261121;
    for (;;) {
        int fd = connect_raw();
        if (fd < 0)
            continue;
        attacker->attack(fd, &seed);
        close(fd);
    }
}

/* The attack goes on while others ask; afterwards the daemon is as it was. */
static void expect_harmless(attack_round *attack)
{
    struct attacker attacker = {attack};
    int fd = wire_open(&one);
    cb__reply__free_unpacked(wire_ping(fd), NULL);
    unsigned descriptors = process_descriptors(one.pid);
    long resident = resident_kib(&one);
    pid_t child = fork_child(attack_for_ever, &attacker);
    expect_answers(fd, &one);
    kill(child, SIGKILL);
    child_wait(child);
    expect_descriptors(&one, descriptors);
    long grown = resident_kib(&one) - resident;
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed, to see whether it is used */
    cr_expect(grown < GROWTH_KIB, "the daemon has grown by %ld KiB", grown);
#endif
    (void)grown;
    close(fd);
}

static void send_raw(int fd, const void *bytes, size_t length)
{
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    (void)sent; /* the daemon may have hung up already */
}

static void await_hangup(int fd)
{
    static uint8_t packet[PACKET_SIZE];
    while (packet_receive(fd, packet, 2000) > 0)
        continue;
}

static size_t pack(uint8_t *out, Cb__Request__KindCase kind)
{
    Cb__List list = CB__LIST__INIT;
    Cb__Ping ping = CB__PING__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.version = PROTOCOL_VERSION;
    request.kind_case = kind;
    if (kind == CB__REQUEST__KIND_LIST)
        request.list = &list;
    else
        request.ping = &ping;
    return cb__request__pack(&request, out);
}

static void send_random_bytes(int fd, unsigned *seed)
{
    uint8_t bytes[512] = {0x08, 1};
    size_t length = 3 + (size_t)rand_r(seed) % (sizeof bytes - 3);
    for (size_t i = rand_r(seed) % 2 ? 0 : 2; i < length; i++)
        bytes[i] = (uint8_t)rand_r(seed);
    bytes[2] = 0xff; /* a field number that is none: never a good request by chance */
    send_raw(fd, bytes, length);
    await_hangup(fd);
}

Test(abuse, random_bytes)
{
    expect_harmless(send_random_bytes);
}

/* A good request up to somewhere, or one of a kind that there is not. */
static void send_part_or_unknown(int fd, unsigned *seed)
{
    uint8_t bytes[128] = {0x08, PROTOCOL_VERSION, 0xfa, 0x07, 0}; /* field 127, empty */
    size_t length = 5;
    if (rand_r(seed) % 4) {
        Cb__Create create = CB__CREATE__INIT;
        Cb__Request request = CB__REQUEST__INIT;
        create.name = (char[]){"never-created"};
        create.policy = (char[]){"failure_threshold=3 open_timeout=10s"};
        request.version = PROTOCOL_VERSION;
        request.kind_case = CB__REQUEST__KIND_CREATE;
        request.create = &create;
        length = 1 + (size_t)rand_r(seed) % (cb__request__pack(&request, bytes) - 1);
    }
    send_raw(fd, bytes, length);
    await_hangup(fd);
}

Test(abuse, truncated_and_unknown_requests)
{
    expect_harmless(send_part_or_unknown);
}

static void send_too_much(int fd, unsigned *seed)
{
    static uint8_t bytes[4 * PACKET_SIZE];
    int room = sizeof bytes;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    send_raw(fd, bytes, PACKET_SIZE + 1 + (size_t)rand_r(seed) % (2 * PACKET_SIZE));
    await_hangup(fd);
}

Test(abuse, oversized_packets)
{
    expect_harmless(send_too_much);
}

/* As deep as a packet is long: as groups, and as messages within messages of a field that is not known. */
static void send_nested(int fd, unsigned *seed)
{
    static uint8_t bytes[PACKET_SIZE];
    size_t at = sizeof bytes;
    bool groups = rand_r(seed) % 2;
    if (groups)
        memset(bytes, 0x5b, sizeof bytes); /* field 11 begins as a group */
    while (!groups && at > 8) {
        size_t inside = sizeof bytes - at;
        bytes[--at] = (uint8_t)(inside >> 14 & 0x7f);
        bytes[--at] = (uint8_t)(inside >> 7 | 0x80);
        bytes[--at] = (uint8_t)(inside | 0x80);
        bytes[--at] = 0x5a; /* field 11 has that length */
    }
    send_raw(fd, bytes + (groups ? 0 : at), sizeof bytes - (groups ? 0 : at));
    await_hangup(fd);
}

Test(abuse, deeply_nested_messages)
{
    expect_harmless(send_nested);
}

/* The kernel gives the reader of an empty packet what it gives at the end of a connection. */
static void send_nothing_at_all(int fd, unsigned *seed)
{
    (void)seed;
    send_raw(fd, "", 0);
    await_hangup(fd);
}

Test(abuse, empty_packets)
{
    expect_harmless(send_nothing_at_all);
}

/* Requests whose sender is gone before they are answered. */
static void ask_and_leave(int fd, unsigned *seed)
{
    uint8_t bytes[64];
    for (int i = rand_r(seed) % 20; i >= 0; i--)
        send_raw(fd, bytes, pack(bytes, CB__REQUEST__KIND_LIST));
    if (rand_r(seed) % 2)
        shutdown(fd, rand_r(seed) % 2 ? SHUT_RD : SHUT_WR);
}

Test(abuse, peers_that_leave_before_the_answer)
{
    expect_harmless(ask_and_leave);
}

/* ---- descriptors by surprise ---- */

#define PASSED 200

static void send_descriptors(int fd, int passed)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(PASSED * sizeof(int))];
    } control = {.header = {CMSG_LEN(PASSED * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    uint8_t bytes[64];
    struct iovec part = {bytes, pack(bytes, CB__REQUEST__KIND_PING)};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    int fds[PASSED];
    for (int i = 0; i < PASSED; i++)
        fds[i] = passed;
    memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    (void)sent;
}

static void pass_descriptors(int fd, unsigned *seed)
{
    static uint8_t packet[PACKET_SIZE];
    for (int i = rand_r(seed) % 10; i >= 0; i--) {
        send_descriptors(fd, STDIN_FILENO);
        packet_receive(fd, packet, 2000);
    }
}

Test(abuse, descriptors_that_come_along)
{
    expect_harmless(pass_descriptors);
}

/* Nothing keeps them open: the pipe ends once we have closed our side. */
Test(abuse, a_descriptor_that_came_along_is_closed_at_once)
{
    int ends[2], fd = wire_open(&one);
    cr_assert(pipe2(ends, O_CLOEXEC) == 0);
    send_descriptors(fd, ends[1]);
    cb__reply__free_unpacked(wire_reply(fd), NULL);
    close(ends[1]);
    struct pollfd ended = {.fd = ends[0], .events = POLLIN};
    cr_expect(poll(&ended, 1, HARNESS_DEADLINE_MS) == 1 && (ended.revents & POLLHUP));
    close(ends[0]);
    close(fd);
}

/* ---- peers that make no progress ---- */

/* Ask until neither side has room any more. */
static void ask_and_never_read(int fd)
{
    uint8_t bytes[64];
    size_t length = pack(bytes, CB__REQUEST__KIND_LIST);
    for (int full = 0; full < 5;) {
        if (send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            continue;
        full++;
        usleep(1000);
    }
}

static void expect_hangup(int fd, const char *whose, double until)
{
    struct pollfd ended = {.fd = fd};
    double left = until - now_ms();
    cr_expect(poll(&ended, 1, left > 0 ? (int)left : 0) == 1 && (ended.revents & POLLHUP), "the connection of %s lasts",
              whose);
    close(fd);
}

Test(abuse, peers_that_say_nothing_and_peers_that_never_read)
{
    enum { EACH = 40 };
    int silent[EACH], deaf[EACH], fd = wire_open(&one);
    cb__reply__free_unpacked(wire_ping(fd), NULL);
    unsigned descriptors = process_descriptors(one.pid);
    for (int i = 0; i < EACH; i++) {
        silent[i] = wire_open(&one);
        deaf[i] = wire_open(&one);
        ask_and_never_read(deaf[i]);
    }
    double until = now_ms() + ENDS_BY_MS;
    expect_answers(fd, &one);
    for (int i = 0; i < EACH; i++) {
        expect_hangup(silent[i], "one who says nothing", until);
        expect_hangup(deaf[i], "one who does not read", until);
    }
    expect_descriptors(&one, descriptors);
    close(fd);
}

/* ---- ten thousand connections ---- */

struct crowd {
    uid_t uid;
    gid_t gid;
    int told; /* a byte when all are made */
};

/* Hold as many as the daemon lets: some are ended to make room, some of which then come again. */
static void connect_many(void *arg)
{
    const struct crowd *crowd = arg;
    static int fds[CONNECTIONS / USERS];
    child_check(setgroups(0, NULL) == 0 && setresgid(crowd->gid, crowd->gid, crowd->gid) == 0);
    child_check(setresuid(crowd->uid, crowd->uid, crowd->uid) == 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* forgotten with the uid */
    for (int i = 0; i < CONNECTIONS / USERS; i++)
        child_check((fds[i] = connect_raw()) >= 0);
    child_check(write(crowd->told, "", 1) == 1);
    pause();
}

static void expect_all_told(int told)
{
    char byte;
    struct pollfd ready = {.fd = told, .events = POLLIN};
    for (int i = 0; i < USERS; i++)
        cr_assert(poll(&ready, 1, 3 * HARNESS_DEADLINE_MS) == 1 && read(told, &byte, 1) == 1, "not all could connect");
}

static void crowds_start(pid_t children[USERS], gid_t gid, int told)
{
    for (uid_t i = 0; i < USERS; i++) {
        struct crowd crowd = {20000 + i, gid, told};
        children[i] = fork_child(connect_many, &crowd);
    }
}

static void crowds_end(const pid_t children[USERS])
{
    for (int i = 0; i < USERS; i++) {
        kill(children[i], SIGKILL);
        child_wait(children[i]);
    }
}

Test(abuse_of_many, ten_thousand_connections_of_several_users, .timeout = 60)
{
    char config[64] = "/tmp/registryd-test-conf-XXXXXX";
    const struct group *members = getgrnam("games");
    struct rlimit limit;
    if (geteuid() != 0 || !members)
        cr_skip_test("only root can be somebody else");
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_max < CONNECTIONS / USERS + 100 || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        cr_skip_test("not so many files may be open");
    int file = mkstemp(config), told[2];
    cr_assert(file >= 0 && dprintf(file, "[registryd]\nmembers = games\n") > 0 && pipe(told) == 0);
    daemon_start(&one, "--config", config, "--capacity", "4", (char *)NULL);
    chmod(one.dir, 0755);
    int fd = wire_open(&one);
    cb__reply__free_unpacked(wire_ping(fd), NULL);
    unsigned descriptors = process_descriptors(one.pid);
    pid_t children[USERS];
    crowds_start(children, members->gr_gid, told[1]);
    expect_answers(fd, &one);
    expect_all_told(told[0]);
    crowds_end(children);
    expect_descriptors(&one, descriptors);
    close(fd);
    daemon_stop(&one);
    unlink(config);
    close(file);
}
