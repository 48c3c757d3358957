/* registryd over HTTP: what it serves, and to whom. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
    cr_assert(cb_attach(daemon_.registry, &registry) == 0, "%s", cb_last_error());
}

static void teardown(void)
{
    cb_detach(&registry);
    daemon_stop(&daemon_);
}

TestSuite(http, .init = setup, .fini = teardown);

static cb_breaker *breaker_make(const char *name, const char *policy)
{
    cb_breaker *breaker;
    cr_assert(cb_get_or_create(registry, name, policy, &breaker) >= 0, "%s", cb_last_error());
    return breaker;
}

static void settle(cb_breaker *breaker, enum cb_outcome outcome, uint64_t took_ns)
{
    cb_permit permit;
    cr_assert(cb_acquire(breaker, &permit) == CB_ADMITTED);
    cr_assert(cb_settle(&permit, outcome, took_ns) == 0);
}

static void expect_status(const char *what, const char *headers, int status)
{
    struct web web;
    char type[256];
    web_ask(&web, port, what, headers, NULL);
    cr_expect(web.status == status, "%s %s: %d, not %d: %s", what, headers ? headers : "", web.status, status,
              web.body);
    if (status >= 400) {
        cr_expect(strcmp(web_header(&web, "Content-Type", type), "application/json") == 0, "%s: %s", what, type);
        json_t *value = web_json(&web);
        cr_expect(json_string_value(json_object_get(value, "error")), "%s: %s", what, web.body);
        json_decref(value);
    }
    web_free(&web);
}

/* ---- the page ---- */

Test(http, the_page_is_served_and_kept_by_its_tag)
{
    struct web web;
    char tag[256], header[512], value[256];
    web_get(&web, port, "/");
    cr_expect(web.status == 200 && strstr(web.body, "<html"), "%d", web.status);
    cr_expect(strcmp(web_header(&web, "Content-Type", value), "text/html; charset=utf-8") == 0, "%s", value);
    web_header(&web, "ETag", tag);
    web_free(&web);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", tag);
    web_ask(&web, port, "GET /", header, NULL);
    cr_expect(web.status == 304 && web.length == 0, "%d, %zu bytes", web.status, web.length);
    web_free(&web);
    web_ask(&web, port, "GET /index.html", "If-None-Match: \"other\"\r\n", NULL);
    cr_expect(web.status == 200);
    web_free(&web);
}

/* Every script and style that the page names is there, with its type. */
Test(http, what_the_page_needs_is_served)
{
    static const struct {
        const char *path, *type;
    } files[] = {{"/page.js", "text/javascript; charset=utf-8"}, {"/page.css", "text/css; charset=utf-8"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct web web;
        char value[256];
        web_get(&web, port, files[i].path);
        cr_expect(web.status == 200 && web.length > 0, "%s: %d", files[i].path, web.status);
        cr_expect(strcmp(web_header(&web, "Content-Type", value), files[i].type) == 0, "%s", value);
        web_free(&web);
    }
}

Test(http, every_answer_tells_browsers_what_they_may)
{
    static const char *const paths[] = {"/", "/healthz", "/api/v1/breakers", "/metrics", "/nothing"};
    static const char *const headers[][2] = {{"X-Content-Type-Options", "nosniff"},
                                             {"Referrer-Policy", "no-referrer"},
                                             {"Cross-Origin-Resource-Policy", "same-origin"},
                                             {"X-Frame-Options", "DENY"}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct web web;
        char value[256];
        web_get(&web, port, paths[i]);
        for (size_t j = 0; j < sizeof headers / sizeof *headers; j++)
            cr_expect(strcmp(web_header(&web, headers[j][0], value), headers[j][1]) == 0, "%s: %s: %s", paths[i],
                      headers[j][0], value);
        web_header(&web, "Content-Security-Policy", value);
        cr_expect(strstr(value, "default-src 'none'") && strstr(value, "frame-ancestors 'none'"), "%s", value);
        cr_expect(*web_header(&web, "Access-Control-Allow-Origin", value) == '\0');
        web_free(&web);
    }
}

/* ---- who is answered ---- */

Test(http, a_name_that_is_made_to_lead_here_is_not_answered)
{
    expect_status("GET /api/v1/breakers", "Host: evil.example\r\n", 421);
    expect_status("GET /", "Host: evil.example:80\r\n", 421);
    expect_status("GET /metrics", "Host: 127.0.0.1.evil.example\r\n", 421);
    expect_status("GET /", "Host: localhost:1\r\n", 200);
    expect_status("GET /", "Host: 10.0.0.7:9464\r\n", 200);
    expect_status("GET /", "Host: [::1]\r\n", 200);
}

Test(http, pages_of_others_are_not_answered)
{
    expect_status("GET /api/v1/breakers", "Host: localhost:1\r\nOrigin: http://evil.example\r\n", 403);
    expect_status("GET /api/v1/breakers", "Host: localhost:1\r\nOrigin: null\r\n", 403);
    expect_status("GET /api/v1/breakers", "Host: localhost:1\r\nOrigin: http://localhost:2\r\n", 403);
    expect_status("GET /api/v1/breakers", "Host: localhost:1\r\nOrigin: http://localhost:1\r\n", 200);
}

/* ---- what is no proper request ---- */

Test(http, unknown_paths_and_methods_are_refused)
{
    expect_status("GET /nothing", NULL, 404);
    expect_status("GET /api/v1/breakers/nobody", NULL, 404);
    expect_status("GET /api/v1/breakers/", NULL, 404);
    expect_status("GET /../etc/passwd", NULL, 404);
    expect_status("GET /api/v1/breakers/%00", NULL, 404);
    expect_status("GET /api/v1/breakers/%ff%fe", NULL, 404);
    expect_status("POST /metrics", NULL, 405);
    expect_status("DELETE /api/v1/breakers", NULL, 405);
    expect_status("OPTIONS /", NULL, 405);
}

Test(http, a_refused_method_is_told_the_right_ones)
{
    struct web web;
    char value[256];
    web_ask(&web, port, "PUT /healthz", NULL, "{}");
    cr_expect(web.status == 405 && strcmp(web_header(&web, "Allow", value), "GET, HEAD") == 0, "%d %s", web.status,
              value);
    web_free(&web);
}

Test(http, head_is_get_without_its_body)
{
    static const char *const paths[] = {"/", "/metrics", "/healthz", "/api/v1/breakers", "/api/v1/events"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct web web;
        char what[64];
        snprintf(what, sizeof what, "HEAD %s", paths[i]);
        web_ask(&web, port, what, NULL, NULL);
        cr_expect(web.status == 200 && web.length == 0, "%s: %d, %zu bytes", what, web.status, web.length);
        cr_expect(web.raw == strlen(web.headers) + 2, "%s: %zu bytes of a body", what,
                  web.raw - strlen(web.headers) - 2);
        web_free(&web);
    }
}

static void expect_alive(const char *after)
{
    struct web web;
    web_get(&web, port, "/healthz");
    cr_expect(web.status == 200, "after %.40s: %d", after, web.status);
    web_free(&web);
}

Test(http, what_is_no_http_costs_the_sender_its_connection)
{
    static const char *const bad[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* no Host */
        "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS by mistake\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nNo colon\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = web_connect(port);
        char answer[4096];
        send(fd, bad[i], strlen(bad[i]), MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        ssize_t length = recv(fd, answer, sizeof answer - 1, 0);
        answer[length > 0 ? length : 0] = '\0';
        cr_expect(strstr(answer, " 200 OK") == NULL || strstr(bad[i], "No colon"), "%s: %s", bad[i], answer);
        close(fd);
        expect_alive(bad[i]);
    }
}

Test(http, a_request_that_is_too_large_is_refused)
{
    char chunked[9000];
    snprintf(chunked, sizeof chunked, "%s%08192d\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n", 0);
    size_t size = 100000;
    char *path = malloc(size + 1);
    memset(path, 'x', size);
    memcpy(path, "GET /", 5);
    path[size] = '\0';
    struct web web;
    web_ask(&web, port, path, NULL, NULL);
    cr_expect(web.status == 0 || web.status == 414 || web.status == 431, "%d", web.status);
    web_free(&web);
    memset(path, 'x', 5);
    web_ask(&web, port, "POST /api/v1/breakers/a/trip", NULL, path);
    cr_expect(web.status == 0 || web.status == 413, "%d", web.status);
    web_free(&web);
    free(path);
    web_send(&web, port, chunked);
    cr_expect(web.status == 0, "%d", web.status);
    web_free(&web);
    expect_alive("a large request");
}

/* ---- breakers ---- */

static json_t *cbctl_show(const char *name)
{
    struct output output;
    json_error_t error;
    run(&output, CBCTL_PATH, "--registry", daemon_.registry, "show", name, "--json", (char *)NULL);
    cr_assert(output.status == 0, "%s", output.err);
    json_t *value = json_loads(output.out, 0, &error);
    cr_assert(value, "%s", error.text);
    output_free(&output);
    return value;
}

/* Both without what changes while one looks, which is checked on its own. */
static void expect_same(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "/api/v1/breakers/%s", name);
    json_t *served = web_get_json(port, path), *shown = cbctl_show(name);
    json_int_t before = json_integer_value(json_object_get(served, "retry_after_ms"));
    json_int_t after = json_integer_value(json_object_get(shown, "retry_after_ms"));
    cr_expect(after <= before && before - after < HARNESS_DEADLINE_MS, "retry after %lld, then %lld ms", before, after);
    if (after > 0) {
        json_object_del(served, "retry_after_ms");
        json_object_del(shown, "retry_after_ms");
    }
    char *one = json_dumps(served, JSON_COMPACT), *other = json_dumps(shown, JSON_COMPACT);
    cr_expect(strcmp(one, other) == 0, "the daemon says\n%s\ncbctl says\n%s", one, other);
    free(one);
    free(other);
    json_decref(served);
    json_decref(shown);
}

Test(http, a_breaker_is_what_cbctl_shows)
{
    cb_breaker *plain = breaker_make("plain", "");
    cb_breaker *timed = breaker_make("timed", "window=count:10 failure_rate_threshold=90 slow_call_duration=1s");
    cb_breaker *tripped = breaker_make("tripped", "failure_threshold=1 max_concurrent=1");
    cb_permit held, rejected;
    settle(plain, CB_IGNORED, 0);
    for (int i = 0; i < 7; i++)
        settle(timed, i % 3 ? CB_SUCCESS : CB_FAILURE, UINT64_C(300000) << i * 2);
    cr_assert(cb_acquire(plain, &held) == CB_ADMITTED);
    settle(tripped, CB_FAILURE, 0);
    cr_assert(cb_acquire(tripped, &rejected) == CB_REJECTED_OPEN);
    expect_same("plain");
    expect_same("timed");
    expect_same("tripped");
    cr_assert(cb_override(timed, CB_FORCED_OPEN, 0, "ticket \"4711\" <b>\xc3\xa9</b>") == 0, "%s", cb_last_error());
    expect_same("timed");
    cb_success(&held);
}

Test(http, all_breakers_are_listed_by_name)
{
    static const char *const names[] = {"b", "a/b", "Z", "a-1", "a"};
    static const char *const sorted[] = {"Z", "a", "a-1", "a/b", "b"};
    for (size_t i = 0; i < 5; i++)
        breaker_make(names[i], "failure_threshold=3");
    json_t *all = web_get_json(port, "/api/v1/breakers");
    json_t *list = json_object_get(all, "breakers");
    cr_expect(strcmp(json_string_value(json_object_get(all, "registry")), daemon_.registry) == 0);
    cr_expect(json_integer_value(json_object_get(all, "workers")) == 1);
    cr_expect(strlen(json_string_value(json_object_get(all, "time"))) == strlen("2026-11-21T00:00:00.000Z"));
    cr_assert(json_array_size(list) == 5);
    for (size_t i = 0; i < 5; i++) {
        json_t *one = json_array_get(list, i), *shown = cbctl_show(sorted[i]);
        cr_expect(json_is_array(json_object_get(one, "recent")));
        json_object_del(one, "recent");
        cr_expect(json_equal(one, shown), "%s", sorted[i]);
        json_decref(shown);
    }
    json_decref(all);
}

Test(http, every_character_of_a_name_can_be_asked_for)
{
    static const char name[] = "AZaz09._:/@-x//y";
    static const char *const paths[] = {"/api/v1/breakers/AZaz09._:/@-x//y",
                                        "/api/v1/breakers/AZaz09._%3A%2F%40-x%2f%2Fy",
                                        "/api/v1/breakers/%41Zaz09%2E_:/@%2Dx/%2Fy"};
    breaker_make(name, "");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        json_t *value = web_get_json(port, paths[i]);
        cr_expect(strcmp(json_string_value(json_object_get(value, "name")), name) == 0);
        json_decref(value);
    }
}

Test(http, what_a_breaker_did_lately_is_sampled, .timeout = 60)
{
    cb_breaker *breaker = breaker_make("busy", "failure_threshold=2");
    cb_permit permit;
    size_t periods = 0;
    json_int_t calls = 0, failures = 0, rejected = 0;
    struct timespec pause = {.tv_nsec = 200000000};
    settle(breaker, CB_FAILURE, 0);
    settle(breaker, CB_SUCCESS, 0);
    for (int i = 0; i < 100 && periods == 0; i++) { /* the first sample is where counting begins */
        json_t *all = web_get_json(port, "/api/v1/breakers");
        periods = json_array_size(json_object_get(json_array_get(json_object_get(all, "breakers"), 0), "recent"));
        json_decref(all);
        nanosleep(&pause, NULL);
    }
    cr_assert(periods >= 1, "nothing was sampled in 20 s");
    settle(breaker, CB_SUCCESS, 0);
    settle(breaker, CB_FAILURE, 0);
    settle(breaker, CB_FAILURE, 0);
    cr_assert(cb_acquire(breaker, &permit) == CB_REJECTED_OPEN);
    for (int i = 0; i < 100 && calls < 3; i++) {
        json_t *all = web_get_json(port, "/api/v1/breakers"), *period;
        size_t at;
        calls = failures = rejected = 0;
        json_array_foreach(json_object_get(json_array_get(json_object_get(all, "breakers"), 0), "recent"), at, period)
        {
            calls += json_integer_value(json_array_get(period, 0));
            failures += json_integer_value(json_array_get(period, 1));
            rejected += json_integer_value(json_array_get(period, 2));
        }
        json_decref(all);
        nanosleep(&pause, NULL);
    }
    cr_expect(calls == 3 && failures == 2 && rejected == 1, "%lld calls, %lld failures, %lld rejections", calls,
              failures, rejected);
}

/* ---- health ---- */

Test(http, health_is_good_while_processes_can_join)
{
    json_t *health = web_get_json(port, "/healthz");
    cr_expect(strcmp(json_string_value(json_object_get(health, "status")), "healthy") == 0);
    cr_expect(json_integer_value(json_object_get(health, "workers")) == 1);
    json_decref(health);
    char from[128], to[160];
    struct web web;
    snprintf(from, sizeof from, "/dev/shm/registryd.%s.live", daemon_.registry);
    snprintf(to, sizeof to, "%s.gone", from);
    cr_assert(rename(from, to) == 0);
    web_get(&web, port, "/healthz");
    rename(to, from);
    cr_expect(web.status == 503, "%d: %s", web.status, web.body);
    health = web_json(&web);
    cr_expect(strcmp(json_string_value(json_object_get(health, "status")), "unhealthy") == 0);
    cr_expect(json_string_value(json_object_get(health, "error")), "%s", web.body);
    json_decref(health);
    web_free(&web);
    expect_alive("the memory is back");
}

/* ---- starting ---- */

Test(http, an_address_that_cannot_be_served_is_named_at_the_start)
{
    struct output output;
    char address[32];
    snprintf(address, sizeof address, "%u", port);
    run(&output, REGISTRYD_PATH, "--registry", "test-http-none", "--runtime-dir", daemon_.dir, "--http", address,
        (char *)NULL);
    cr_expect(output.status == 1 && strstr(output.err, address) && strstr(output.err, "in use"), "%s", output.err);
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--registry", "test-http-none", "--runtime-dir", daemon_.dir, "--http", "nonsense:x",
        (char *)NULL);
    cr_expect(output.status == 1 && strstr(output.err, "nonsense:x") && strstr(output.err, "HOST:PORT"), "%s",
              output.err);
    output_free(&output);
    cr_expect(!registry_exists("test-http-none"));
}
