/* Actions over HTTP: only with the token, and journalled. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "libcbclient/cbclient.h"
#include "tests/process/web.h"

#define TOKEN  "correct-horse-battery"
#define BEARER "Authorization: Bearer " TOKEN "\r\n"
#define TRIP   "POST /api/v1/breakers/db/trip"

static struct daemon daemon_;
static unsigned port;
static cb_registry *registry;
static char folder[] = "/tmp/registryd-test-http-XXXXXX", config[64], token[64];

static void file_write(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    cr_assert(file);
    fputs(content, file);
    fchmod(fileno(file), 0600);
    fclose(file);
}

static void start(const char *settings)
{
    char text[256];
    cr_assert(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/conf", folder);
    snprintf(token, sizeof token, "%s/token", folder);
    snprintf(text, sizeof text, "[registryd]\nhttp = 0\n%s%s\n[db]\n[a/trip]\n", settings, *settings ? token : "");
    file_write(config, text);
    file_write(token, TOKEN "\n");
    daemon_start(&daemon_, "--config", config, "--capacity", "16", NULL);
    port = web_port(&daemon_);
    cr_assert(cb_attach(daemon_.registry, &registry) == 0);
}

static void setup(void)
{
    start("http_token_file = ");
}

static void setup_without(void)
{
    start("");
}

static void teardown(void)
{
    cb_detach(&registry);
    daemon_stop(&daemon_);
    unlink(config);
    unlink(token);
    rmdir(folder);
}

TestSuite(http_action, .init = setup, .fini = teardown);
TestSuite(http_action_off, .init = setup_without, .fini = teardown);

static enum cb_state state_of(const char *name)
{
    cb_breaker *breaker;
    cr_assert(cb_get(registry, name, &breaker) == 0, "%s", cb_last_error());
    return cb_state_of(breaker);
}

static void expect_answer(const char *what, const char *headers, const char *body, int status, const char *word)
{
    struct web web;
    web_ask(&web, port, what, headers, body);
    cr_expect(web.status == status && web.body && strstr(web.body, word), "%s %s: %d: %s", what, body ? body : "",
              web.status, web.body);
    web_free(&web);
}

Test(http_action_off, without_a_token_nobody_may_act)
{
    expect_answer(TRIP, BEARER, "{}", 403, "http_token_file");
    expect_answer(TRIP, NULL, NULL, 403, "http_token_file");
    cr_expect(state_of("db") == CB_CLOSED);
}

Test(http_action, only_the_token_may_act)
{
    expect_answer(TRIP, NULL, "{}", 401, "Bearer");
    expect_answer(TRIP, "Authorization: Bearer \r\n", "{}", 401, "token");
    expect_answer(TRIP, "Authorization: Bearer " TOKEN "x\r\n", "{}", 401, "token");
    expect_answer(TRIP, "Authorization: Bearer correct-horse-batter\r\n", "{}", 401, "token");
    expect_answer(TRIP, "Authorization: Basic " TOKEN "\r\n", "{}", 401, "Bearer");
    expect_answer("POST /api/v1/breakers/nobody/trip", NULL, "{}", 401, "Bearer");
    cr_expect(state_of("db") == CB_CLOSED);
    expect_answer(TRIP, BEARER, "{}", 200, "\"state\":\"open\"");
    cr_expect(state_of("db") == CB_OPEN);
}

Test(http_action, the_token_does_not_help_other_origins_and_names)
{
    expect_answer(TRIP, BEARER "Origin: http://evil.example\r\n", "{}", 403, "evil.example");
    expect_answer(TRIP, BEARER "Host: evil.example\r\n", "{}", 421, "evil.example");
    expect_answer("GET /api/v1/breakers/db/trip", BEARER, NULL, 404, "db/trip");
    cr_expect(state_of("db") == CB_CLOSED);
}

Test(http_action, each_does_what_cbctl_does)
{
    static const struct {
        const char *action, *body;
        enum cb_state state;
    } steps[] = {{"force-open", "{\"reason\":\"ticket 1\"}", CB_FORCED_OPEN},
                 {"disable", "{\"for_ms\":600000}", CB_DISABLED},
                 {"metrics-only", "{}", CB_METRICS_ONLY},
                 {"auto", NULL, CB_CLOSED},
                 {"trip", "{\"reason\":\"ticket 2\",\"for_ms\":0}", CB_OPEN},
                 {"reset", "{\"reason\":\"\"}", CB_CLOSED}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char what[64];
        snprintf(what, sizeof what, "POST /api/v1/breakers/db/%s", steps[i].action);
        expect_answer(what, BEARER, steps[i].body, 200, cb_state_name(steps[i].state));
        cr_expect(state_of("db") == steps[i].state, "%s", what);
    }
}

Test(http_action, a_name_may_look_like_an_action)
{
    expect_answer("POST /api/v1/breakers/a/trip/trip", BEARER, NULL, 200, "\"a/trip\"");
    cr_expect(state_of("a/trip") == CB_OPEN);
    expect_answer("POST /api/v1/breakers/a%2Ftrip/reset", BEARER, NULL, 200, "\"a/trip\"");
    cr_expect(state_of("a/trip") == CB_CLOSED);
    expect_answer("POST /api/v1/breakers/a/trip", BEARER, NULL, 404, "\\\"a\\\"");
}

Test(http_action, what_cannot_be_done_is_refused_with_why)
{
    static const struct {
        const char *action, *body, *word;
        int status;
    } bad[] = {
        {"db/trip", "{\"reason\":1}", "reason", 400},
        {"db/trip", "{\"reason\":\"a\\nb\"}", "control", 400},
        {"db/trip", "{\"reason\":\"a\\u0000b\"}", "JSON", 400},
        {"db/trip", "{\"for_ms\":5}", "for_ms", 400},
        {"db/disable", "{\"for_ms\":-1}", "for_ms", 400},
        {"db/disable", "{\"for_ms\":1.5}", "for_ms", 400},
        {"db/disable", "{\"for_ms\":604800001}", "604800000", 400},
        {"db/trip", "{\"resaon\":\"x\"}", "neither", 400},
        {"db/trip", "{\"reason\":\"x\",\"reason\":\"y\"}", "JSON", 400},
        {"db/trip", "[]", "JSON", 400},
        {"db/trip", "{", "JSON", 400},
        {"db/close", "{}", "force-open", 404},
        {"trip", "{}", "force-open", 404},
        {"nobody/trip", "{}", "nobody", 404},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char what[64];
        snprintf(what, sizeof what, "POST /api/v1/breakers/%s", bad[i].action);
        expect_answer(what, BEARER, bad[i].body, bad[i].status, bad[i].word);
    }
    char longest[256];
    snprintf(longest, sizeof longest, "{\"reason\":\"%0122d\"}", 0);
    expect_answer(TRIP, BEARER, longest, 400, "121");
    cr_expect(state_of("db") == CB_CLOSED);
    snprintf(longest, sizeof longest, "{\"reason\":\"%0121d\"}", 0);
    expect_answer(TRIP, BEARER, longest, 200, "open");
}

static int event_keep(const struct cb_event *event, void *arg)
{
    memcpy(arg, event, sizeof *event);
    return 0;
}

Test(http_action, an_action_is_in_the_journal_with_its_reason)
{
    struct cb_event last = {0};
    expect_answer(TRIP, BEARER, "{\"reason\":\"ticket 4711 \xc3\xa9\"}", 200, "open");
    cr_assert(cb_history(registry, "db", event_keep, &last) == 0);
    cr_expect(strcmp(last.cause, "operator trip") == 0 && strcmp(last.reason, "http: ticket 4711 \xc3\xa9") == 0,
              "%s: %s", last.cause, last.reason);
    cr_expect(last.pid == (uint32_t)daemon_.pid && last.uid == geteuid());
}

/* A new token counts after SIGHUP; a file that is no good leaves the old one in force. */
Test(http_action, the_token_can_be_changed)
{
    struct web web = {0};
    struct timespec pause = {.tv_nsec = 20000000};
    file_write(token, "short\n");
    kill(daemon_.pid, SIGHUP);
    expect_answer(TRIP, BEARER, NULL, 200, "open");
    file_write(token, "another-token-of-length\n");
    kill(daemon_.pid, SIGHUP);
    for (int i = 0; i < 500 && web.status != 200; i++) {
        web_free(&web);
        web_ask(&web, port, "POST /api/v1/breakers/db/reset", "Authorization: Bearer another-token-of-length\r\n",
                NULL);
        nanosleep(&pause, NULL);
    }
    cr_expect(web.status == 200, "%d", web.status);
    web_free(&web);
    expect_answer(TRIP, BEARER, NULL, 401, "token");
}

Test(http_action, a_token_that_others_may_read_ends_the_start)
{
    struct output output;
    cr_assert(chmod(token, 0644) == 0);
    run(&output, REGISTRYD_PATH, "--registry", "test-http-none", "--runtime-dir", daemon_.dir, "--config", config,
        (char *)NULL);
    cr_expect(output.status == 1 && strstr(output.err, token) && strstr(output.err, "0644"), "%s", output.err);
    output_free(&output);
    run(&output, REGISTRYD_PATH, "--check", "--config", config, (char *)NULL);
    cr_expect(output.status == 1 && strstr(output.err, token), "%s", output.err);
    output_free(&output);
    cr_expect(!registry_exists("test-http-none"));
}
