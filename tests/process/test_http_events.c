/* Events over HTTP: the same as cbctl watch prints, in order, from where a reader was. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "libcbclient/cbclient.h"
#include "tests/process/web.h"

static struct daemon daemon_;
static unsigned port;
static cb_registry *registry;

static void setup(void)
{
    daemon_start(&daemon_, "--http", "0", "--capacity", "64", NULL);
    port = web_port(&daemon_);
    cr_assert(cb_attach(daemon_.registry, &registry) == 0);
}

static void teardown(void)
{
    cb_detach(&registry);
    daemon_stop(&daemon_);
}

TestSuite(http_events, .init = setup, .fini = teardown, .timeout = 60);

static cb_breaker *breaker_make(const char *name)
{
    cb_breaker *breaker;
    cr_assert(cb_get_or_create(registry, name, NULL, &breaker) == 0, "%s", cb_last_error());
    return breaker;
}

/* ---- a reader of a stream ---- */

struct reader {
    FILE *file;
    char line[4096];
};

/* Ask and pass over the headers. */
static void reader_open(struct reader *reader, const char *path, const char *headers)
{
    char request[256];
    struct timeval patience = {.tv_sec = 8}; /* less than what a listener that nobody wakes sleeps */
    int fd = web_connect(port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: localhost\r\n%s\r\n", path, headers);
    cr_assert(send(fd, request, (size_t)length, MSG_NOSIGNAL) == length);
    reader->file = fdopen(fd, "r");
    cr_assert(fgets(reader->line, sizeof reader->line, reader->file) && strstr(reader->line, " 200 "), "%s: %s", path,
              reader->line);
    while (strcmp(reader->line, "\r\n") != 0)
        cr_assert(fgets(reader->line, sizeof reader->line, reader->file));
}

/* The next event, for json_decref(); *id is its number. Comments and the like are passed over. */
static json_t *reader_next(struct reader *reader, unsigned long *id)
{
    json_error_t error;
    for (;;) {
        cr_assert(fgets(reader->line, sizeof reader->line, reader->file), "no event in time: %s", strerror(errno));
        if (strncmp(reader->line, "id: ", 4) == 0)
            *id = strtoul(reader->line + 4, NULL, 10);
        if (strncmp(reader->line, "data: ", 6) == 0)
            break;
    }
    json_t *event = json_loads(reader->line + 6, 0, &error);
    cr_assert(event, "%s: %s", error.text, reader->line);
    return event;
}

static void reader_close(struct reader *reader)
{
    fclose(reader->file);
}

static const char *text_of(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));
    return text ? text : "";
}

static void expect_event(struct reader *reader, const char *breaker, const char *cause)
{
    unsigned long id = 0;
    json_t *event = reader_next(reader, &id);
    cr_expect(strcmp(text_of(event, "breaker"), breaker) == 0 && strcmp(text_of(event, "cause"), cause) == 0,
              "%s %s, not %s %s", text_of(event, "breaker"), text_of(event, "cause"), breaker, cause);
    cr_expect((json_int_t)id == json_integer_value(json_object_get(event, "sequence")));
    json_decref(event);
}

/* ---- tests ---- */

Test(http_events, an_event_comes_when_it_happens)
{
    struct reader reader;
    cb_breaker *breaker = breaker_make("db");
    reader_open(&reader, "/api/v1/events", "");
    cr_assert(cb_trip(breaker, "ticket 4711") == 0);
    expect_event(&reader, "db", "operator trip");
    cr_assert(cb_reset(breaker, NULL) == 0);
    expect_event(&reader, "db", "operator reset");
    reader_close(&reader);
}

Test(http_events, what_was_is_shown_to_who_asks)
{
    struct reader reader;
    cb_breaker *one = breaker_make("one"), *other = breaker_make("other");
    cr_assert(cb_trip(one, NULL) == 0 && cb_trip(other, NULL) == 0 && cb_reset(one, NULL) == 0);
    reader_open(&reader, "/api/v1/events?after=0", "");
    expect_event(&reader, "one", "created");
    expect_event(&reader, "other", "created");
    reader_close(&reader);
    reader_open(&reader, "/api/v1/events?breaker=one&after=0", "");
    expect_event(&reader, "one", "created");
    expect_event(&reader, "one", "operator trip");
    expect_event(&reader, "one", "operator reset");
    cr_assert(cb_reset(other, NULL) == 0 && cb_trip(one, NULL) == 0);
    expect_event(&reader, "one", "operator trip");
    reader_close(&reader);
}

/* A browser that comes back says which it had last; that goes before what its address says. */
Test(http_events, a_reader_goes_on_where_it_was)
{
    struct reader reader;
    cb_breaker *breaker = breaker_make("db");
    char header[64];
    unsigned long id = 0;
    cr_assert(cb_trip(breaker, NULL) == 0 && cb_reset(breaker, NULL) == 0);
    reader_open(&reader, "/api/v1/events?after=0", "");
    json_decref(reader_next(&reader, &id));
    json_decref(reader_next(&reader, &id));
    reader_close(&reader);
    snprintf(header, sizeof header, "Last-Event-ID: %lu\r\n", id);
    reader_open(&reader, "/api/v1/events?after=0", header);
    expect_event(&reader, "db", "operator reset");
    reader_close(&reader);
    reader_open(&reader, "/api/v1/events?after=999999", "");
    expect_event(&reader, "db", "created");
    reader_close(&reader);
}

Test(http_events, an_event_is_what_cbctl_prints)
{
    struct reader reader;
    struct output output;
    cb_breaker *breaker = breaker_make("db");
    cb_permit permit;
    unsigned long id;
    for (int i = 0; i < 5; i++)
        cr_assert(cb_acquire(breaker, &permit) == CB_ADMITTED && cb_failure(&permit) == 0);
    cr_assert(cb_override(breaker, CB_DISABLED, 600000, "\"<b>\xc3\xa9") == 0, "%s", cb_last_error());
    cr_assert(cb_override(breaker, CB_CLOSED, 0, NULL) == 0);
    cr_assert(cb_set_policy(breaker, "failure_threshold=7") == 0);
    reader_open(&reader, "/api/v1/events?after=0", "");
    json_t *served[5];
    for (size_t i = 0; i < 5; i++)
        served[i] = reader_next(&reader, &id);
    reader_close(&reader);
    run(&output, CBCTL_PATH, "--registry", daemon_.registry, "history", "db", "--json", (char *)NULL);
    cr_assert(output.status == 0, "%s", output.err);
    char *line = output.out;
    for (size_t i = 0; i < 5; i++) {
        json_error_t error;
        json_t *printed = json_loadb(line, strcspn(line, "\n"), 0, &error);
        char *one = json_dumps(served[i], JSON_COMPACT), *other = printed ? json_dumps(printed, JSON_COMPACT) : NULL;
        cr_expect(other && strcmp(one, other) == 0, "the daemon says\n%s\ncbctl says\n%s", one, other ? other : line);
        free(one);
        free(other);
        json_decref(printed);
        json_decref(served[i]);
        line += strcspn(line, "\n") + (strchr(line, '\n') != NULL);
    }
    output_free(&output);
}

/* All of them open, and close again: three events each. */
static void breakers_cycle(cb_breaker *const *breakers, size_t count)
{
    struct timespec pause = {.tv_nsec = 12000000}; /* open_timeout, and the tick of the clock */
    cb_permit permit;
    for (size_t i = 0; i < count; i++)
        cr_assert(cb_acquire(breakers[i], &permit) == CB_ADMITTED && cb_failure(&permit) == 0);
    nanosleep(&pause, NULL);
    for (size_t i = 0; i < count; i++)
        cr_assert(cb_acquire(breakers[i], &permit) == CB_ADMITTED && cb_success(&permit) == 0);
}

/* More happens than the ring holds while a reader does not read: it is told how much it missed, and goes on. */
Test(http_events, a_slow_reader_is_told_what_it_missed)
{
    enum { BREAKERS = 50, CYCLES = 60 };
    struct reader reader;

    cb_breaker *breakers[BREAKERS];
    unsigned long id = 0, last;
    json_int_t missed = 0;
    for (int i = 0; i < BREAKERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "b%d", i);
        cr_assert(cb_get_or_create(registry, name, "failure_threshold=1 open_timeout=1ms", &breakers[i]) == 0);
    }
    reader_open(&reader, "/api/v1/events?after=0", "");
    json_decref(reader_next(&reader, &last));
    for (int i = 0; i < CYCLES; i++)
        breakers_cycle(breakers, BREAKERS);
    cr_assert(cb_remove(breakers[0], NULL) == 0);
    for (bool over = false; !over; last = id) {
        json_t *event = reader_next(&reader, &id);
        bool gap = strcmp(text_of(event, "cause"), "missed") == 0;
        json_int_t more = gap ? json_integer_value(json_object_get(event, "value")) : 1;
        cr_assert((json_int_t)id == (json_int_t)last + more, "%lu after %lu", id, last);
        missed += gap ? more : 0;
        over = strcmp(text_of(event, "cause"), "removed") == 0;
        json_decref(event);
    }
    cr_expect(missed > 0 && last == 50 + 3 * BREAKERS * CYCLES + 1, "%lld missed of %lu", (long long)missed, last);
    reader_close(&reader);
}

Test(http_events, bad_questions_are_refused)
{
    static const char *const paths[] = {"/api/v1/events?breaker=a%20b",
                                        "/api/v1/events?breaker=", "/api/v1/events?after=x",
                                        "/api/v1/events?after=", "/api/v1/events?after=99999999999999999999999"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct web web;
        web_get(&web, port, paths[i]);
        cr_expect(web.status == 400, "%s: %d", paths[i], web.status);
        web_free(&web);
    }
}

/* Those who have left make room, though nothing happens that they could be sent; those who stay do not keep the daemon
 * from ending. */
Test(http_events, who_has_left_listens_no_more)
{
    struct reader stays;
    struct timespec pause = {.tv_nsec = 20000000};
    reader_open(&stays, "/api/v1/events", "");
    for (int i = 0; i < 200; i++) {
        struct web web;
        struct reader leaves;
        reader_open(&leaves, "/api/v1/events", "");
        reader_close(&leaves);
        if (i % 50 < 49)
            continue;
        for (int j = 0; j < 500; j++) {
            web_get(&web, port, "/metrics");
            const char *at = web.body ? strstr(web.body, "\ncb_daemon_http_connections ") : NULL;
            unsigned long count = at ? strtoul(at + strlen("\ncb_daemon_http_connections "), NULL, 10) : 999;
            web_free(&web);
            if (count <= 2)
                break;
            cr_assert(j < 499, "%lu connections are left", count);
            nanosleep(&pause, NULL);
        }
    }
    cr_assert(breaker_make("db"));
    expect_event(&stays, "db", "created");
    cr_expect(daemon_term(&daemon_) == 0);
    reader_close(&stays);
}
