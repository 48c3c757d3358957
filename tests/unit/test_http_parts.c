/* Parts of registryd's HTTP that need no daemon: addresses, whose requests are answered, tokens, escaping. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registryd/http_address.h"
#include "registryd/http_exposition.h"
#include "registryd/http_guard.h"
#include "registryd/http_token.h"

/* ---- addresses ---- */

static void expect_address(const char *text, const char *host, unsigned port, const char *url)
{
    struct http_address address;
    char shown[HTTP_URL_SIZE];
    const char *fault = http_address_parse(text, &address);
    cr_assert(fault == NULL, "%s: %s", text, fault);
    http_address_url(&address, shown);
    cr_expect(strcmp(address.host, host) == 0 && address.port == port && strcmp(shown, url) == 0, "%s: %s", text,
              shown);
}

Test(http_parts, an_address_is_a_host_and_a_port)
{
    expect_address("9464", "127.0.0.1", 9464, "http://127.0.0.1:9464/");
    expect_address("0", "127.0.0.1", 0, "http://127.0.0.1:0/");
    expect_address("10.1.2.3:80", "10.1.2.3", 80, "http://10.1.2.3:80/");
    expect_address("localhost:65535", "localhost", 65535, "http://localhost:65535/");
    expect_address("[::1]:9464", "::1", 9464, "http://[::1]:9464/");
}

Test(http_parts, what_is_no_address_is_refused)
{
    static const char *const bad[] = {
        "",         ":",     ":80",      "host",         "host:",      "host:x",  "65536",
        "-1",       "1e3",   "host:80x", "::1:80",       "[::1]",      "[::1]80", "[::1:80",
        "[host]:1", "[]:80", "a b:80",   "host:0000080", "http://a:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_address address;
        cr_expect(http_address_parse(bad[i], &address) != NULL, "\"%s\" was taken for %s", bad[i], address.host);
    }
}

Test(http_parts, an_address_in_use_is_named)
{
    struct http_address first = {.host = "127.0.0.1"}, second;
    int fd = http_address_listen(&first);
    cr_assert(fd >= 0 && first.port != 0);
    second = first;
    cr_expect(http_address_listen(&second) == -1);
    close(fd);
}

/* ---- whose requests are answered ---- */

Test(http_parts, only_a_host_that_cannot_be_somebody_elses_name_is_ours)
{
    struct http_address address = {.host = "metrics.example"};
    static const char *const good[] = {"127.0.0.1", "127.0.0.1:9464", "10.0.0.1:1",         "[::1]:9464",     "[::1]",
                                       "localhost", "LocalHost:9464", "metrics.example:80", "METRICS.example"};
    static const char *const bad[] = {"",
                                      "evil.example",
                                      "localhost.evil.example",
                                      "127.0.0.1.evil.example",
                                      "evil:80",
                                      "127.0.0.1:80x",
                                      "[::1",
                                      "[evil]:80",
                                      "::1",
                                      ":80",
                                      "localhost@evil",
                                      "127.0.0.1:80@evil",
                                      "metrics.example.evil"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(http_host_is_ours(&address, good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!http_host_is_ours(&address, bad[i]), "%s", bad[i]);
    cr_expect(!http_host_is_ours(&address, NULL));
}

Test(http_parts, only_our_own_page_may_ask)
{
    cr_expect(http_origin_is_ours(NULL, "localhost:1"));
    cr_expect(http_origin_is_ours("http://localhost:1", "localhost:1"));
    cr_expect(http_origin_is_ours("https://LOCALHOST:1", "localhost:1"));
    cr_expect(!http_origin_is_ours("http://localhost:2", "localhost:1"));
    cr_expect(!http_origin_is_ours("http://evil.example", "localhost:1"));
    cr_expect(!http_origin_is_ours("http://localhost:1.evil.example", "localhost:1"));
    cr_expect(!http_origin_is_ours("null", "localhost:1"));
    cr_expect(!http_origin_is_ours("", "localhost:1"));
}

/* ---- tokens ---- */

static char folder[] = "/tmp/registryd-test-XXXXXX", path[64];

static void folder_make(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/token", folder);
}

static void folder_remove(void)
{
    unlink(path);
    rmdir(folder);
}

static bool load(const char *content, size_t length, mode_t mode, struct http_token *token)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    cr_assert(fd >= 0 && write(fd, content, length) == (ssize_t)length && fchmod(fd, mode) == 0);
    close(fd);
    return http_token_load(path, token);
}

TestSuite(http_token, .init = folder_make, .fini = folder_remove);

Test(http_token, the_first_line_is_the_token)
{
    struct http_token token;
    cr_assert(load("0123456789abcdef\nmore\n", 22, 0640, &token));
    cr_expect(http_token_is(&token, "0123456789abcdef"));
    cr_expect(!http_token_is(&token, "0123456789abcde"));
    cr_expect(!http_token_is(&token, "0123456789abcdef0"));
    cr_expect(!http_token_is(&token, "0123456789abcdef\nmore"));
    cr_expect(!http_token_is(&token, ""));
}

Test(http_token, none_is_nobodys)
{
    struct http_token token;
    char longest[1024] = "";
    cr_assert(http_token_load("", &token));
    cr_expect(!http_token_is(&token, ""));
    memset(longest, 'x', sizeof longest - 1);
    cr_expect(!http_token_is(&token, longest));
}

Test(http_token, a_file_that_others_may_read_or_change_is_refused)
{
    static const mode_t bad[] = {0644, 0604, 0660, 0620, 0602, 0666};
    struct http_token token = {.text = "what was before it"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!load("0123456789abcdef\n", 17, bad[i], &token), "mode %04o", (unsigned)bad[i]);
    cr_expect(http_token_is(&token, "what was before it"));
}

Test(http_token, too_short_too_long_or_not_text_is_refused)
{
    struct http_token token;
    char longest[HTTP_TOKEN_SIZE];
    memset(longest, 'x', sizeof longest);
    cr_expect(!load("", 0, 0600, &token));
    cr_expect(!load("0123456789abcde\n", 16, 0600, &token));
    cr_expect(!load("0123456789 abcdef\n", 18, 0600, &token));
    cr_expect(!load("0123456789\0abcdefgh\n", 20, 0600, &token));
    cr_expect(!load("0123456789abcdef\xc3\xa9\n", 19, 0600, &token));
    cr_expect(!load(longest, HTTP_TOKEN_SIZE, 0600, &token));
    cr_expect(load(longest, HTTP_TOKEN_SIZE - 1, 0600, &token));
    cr_expect(!http_token_load(folder, &token));
    unlink(path);
    cr_expect(!http_token_load(path, &token));
}

/* ---- the exposition ---- */

static void expect_text(struct http_text *text, const char *expected)
{
    cr_expect(text->length == strlen(expected) && memcmp(text->bytes, expected, text->length) == 0, "%.*s",
              (int)text->length, text->bytes);
    http_text_finish(text);
}

Test(http_parts, label_values_are_escaped)
{
    struct http_text text = {0};
    struct http_exposition out = {&text, true};
    const struct http_label labels[] = {{"a", "x\\y\"z\n"}, {"b", ""}, {NULL, NULL}};
    http_sample(&out, "cb_x", "_total", labels);
    http_text_count(&text, 0);
    expect_text(&text, "cb_x_total{a=\"x\\\\y\\\"z\\n\",b=\"\"} 0");
}

Test(http_parts, numbers_are_decimal)
{
    struct http_text text = {0};
    http_text_count(&text, UINT64_MAX);
    http_text_string(&text, " ");
    http_text_seconds(&text, 0);
    http_text_string(&text, " ");
    http_text_seconds(&text, 1795222618007);
    http_text_string(&text, " ");
    http_text_seconds(&text, UINT64_MAX);
    http_text_string(&text, " ");
    http_text_number(&text, 0.000131072);
    expect_text(&text, "18446744073709551615 0 1795222618.007 +Inf 0.000131072");
}

Test(http_parts, the_two_formats_name_counters_differently)
{
    struct http_text text = {0};
    struct http_exposition out = {&text, true};
    http_family(&out, "cb_x_seconds", METRIC_COUNTER, "seconds", "Why.");
    http_exposition_end(&out);
    expect_text(&text, "# HELP cb_x_seconds Why.\n# TYPE cb_x_seconds counter\n# UNIT cb_x_seconds seconds\n# EOF\n");
    out.open = false;
    http_family(&out, "cb_x_seconds", METRIC_COUNTER, "seconds", "Why.");
    http_family(&out, "cb_y", METRIC_INFO, NULL, "What.");
    http_exposition_end(&out);
    expect_text(&text, "# HELP cb_x_seconds_total Why.\n# TYPE cb_x_seconds_total counter\n"
                       "# HELP cb_y_info What.\n# TYPE cb_y_info gauge\n");
}
