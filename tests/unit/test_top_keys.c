/* What keys do in cbctl top, on breakers of a virtual registry. */
#include <criterion/criterion.h>
#include <curses.h>
#include <string.h>

#include "top.h"

static struct top top;

static void begin(void)
{
    static const char *const names[] = {"mail", "payments", "search"};
    cb_breaker *breaker;
    cr_assert_eq(cb_virtual_open(&top.registry), 0);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(cb_get_or_create(top.registry, names[i], "open_timeout=60s", &breaker), 0);
    top.height = 10;
    cr_assert_eq(top_look(&top, 1000), 0);
}

static void end(void)
{
    top_free(&top);
    cb_detach(&top.registry);
}

TestSuite(top_keys, .init = begin, .fini = end);

static void type(const char *keys)
{
    for (; *keys; keys++)
        top_key(&top, (unsigned char)*keys);
}

static struct cb_health health_of(const char *name)
{
    cb_breaker *breaker;
    struct cb_health health;
    cr_assert_eq(cb_get(top.registry, name, &breaker), 0);
    cr_assert_eq(cb_health_of(breaker, &health, sizeof health), 0);
    return health;
}

Test(top_keys, the_cursor_stays_on_its_breaker)
{
    cr_expect_str_eq(top.selected, "mail");
    top_key(&top, KEY_UP);
    cr_expect_str_eq(top.selected, "mail");
    type("j");
    cr_expect_str_eq(top.selected, "payments");
    cb_breaker *breaker;
    cr_assert_eq(cb_get(top.registry, "search", &breaker), 0);
    cr_assert_eq(cb_trip(breaker, NULL), 0);
    top_look(&top, 2000);
    cr_expect(top.cursor == 2 && !strcmp(top.shown[0]->name, "search"), "it is sorted by trouble");
    cr_expect_str_eq(top.selected, "payments");
    top_key(&top, KEY_END);
    top_key(&top, KEY_DOWN);
    cr_expect_str_eq(top.selected, "payments");
    top_key(&top, KEY_HOME);
    cr_expect_str_eq(top.selected, "search");
    cr_assert_eq(cb_remove(breaker, NULL), 0);
    top_look(&top, 3000);
    cr_expect_str_eq(top.selected, "mail", "the one in its place");
}

Test(top_keys, a_page_is_as_high_as_the_screen)
{
    top.height = 3;
    top_key(&top, KEY_NPAGE);
    cr_expect_eq(top.cursor, 2, "one row stays in sight");
    top_key(&top, KEY_NPAGE);
    cr_expect_eq(top.cursor, 2);
    top_key(&top, KEY_PPAGE);
    cr_expect_eq(top.cursor, 0);
}

Test(top_keys, a_filter_is_applied_while_it_is_typed)
{
    type("/se");
    cr_expect(top.shown_count == 1 && !strcmp(top.selected, "search"));
    type("x");
    cr_expect(top.shown_count == 0 && !*top.selected);
    top_key(&top, KEY_BACKSPACE);
    type("\r");
    cr_expect(top.shown_count == 1 && top.prompt == PROMPT_NONE);
    type("/");
    cr_expect_str_eq(top.input, "se");
    type("\033");
    cr_expect_eq(top.shown_count, 3);
}

Test(top_keys, sorting_goes_round_both_ways)
{
    type("s");
    cr_expect_eq(top.order, ORDER_NAME);
    type("SS");
    cr_expect_eq(top.order, ORDER_COUNT - 1);
    type("s");
    cr_expect_eq(top.order, ORDER_TROUBLE);
}

Test(top_keys, nothing_happens_without_a_yes)
{
    static const char *const refusals[] = {"t\033", "treason\033", "treason\rn",  "treason\r\033",
                                           "o\033", "of\033",      "of5m\rwhy\rn"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        type(refusals[i]);
        cr_expect(top.prompt == PROMPT_NONE, "%s", refusals[i]);
        cr_expect_eq(health_of("mail").counts.state, CB_CLOSED, "%s", refusals[i]);
    }
}

Test(top_keys, trips_and_resets_the_one_under_the_cursor)
{
    type("jtdown\ry");
    cr_expect_eq(health_of("payments").counts.state, CB_OPEN);
    cr_expect(strstr(top.message, "payments: open, next probe in 1m") && !top.failed, "%s", top.message);
    cr_expect(top.stale);
    type("r\ry");
    cr_expect_eq(health_of("payments").counts.state, CB_CLOSED);
    cr_expect_str_eq(top.message, "payments: closed");
}

Test(top_keys, overrides_have_a_duration_and_a_reason)
{
    type("of90x\r");
    cr_expect(top.prompt == PROMPT_DURATION && top.failed && strstr(top.message, "90x"), "%s", top.message);
    top_key(&top, KEY_BACKSPACE);
    type("s\rticket 4711\ry");
    struct cb_health health = health_of("mail");
    cr_expect(health.counts.state == CB_FORCED_OPEN && health.override_left_ms == 90000);
    cr_expect_str_eq(health.override_reason, "ticket 4711");
    type("od\r\ry");
    health = health_of("mail");
    cr_expect(health.counts.state == CB_DISABLED && health.override_left_ms == UINT64_MAX);
    type("om1h\r\ry");
    cr_expect_eq(health_of("mail").counts.state, CB_METRICS_ONLY);
    type("oa\ry");
    cr_expect_eq(health_of("mail").counts.state, CB_CLOSED);
}

Test(top_keys, typing_is_limited_and_erases_characters)
{
    char text[PROMPT_TEXT];
    type("t");
    for (unsigned i = 0; i < 2 * TOP_INPUT; i++)
        type("r");
    cr_expect_eq(strlen(top.input), TOP_INPUT - 1);
    top_key(&top, 'U' - '@');
    type("caf\303\251");
    cr_expect(strstr(prompt_text(&top, text), "trip mail, because (may be empty): caf\303\251"), "%s", text);
    top_key(&top, 127);
    cr_expect_str_eq(top.input, "caf");
    top_key(&top, KEY_F(1));
    cr_expect_str_eq(top.input, "caf");
}

Test(top_keys, a_daemon_that_is_away_is_not_waited_for)
{
    top.beat = (struct pulse_beat){.known = true, .up = false};
    type("t\ry");
    cr_expect(top.failed && strstr(top.message, "registryd does not answer"), "%s", top.message);
    cr_expect_eq(health_of("mail").counts.state, CB_CLOSED);
}

Test(top_keys, details_are_about_one_breaker)
{
    char *text;
    size_t size;
    type("jtwhy not\ry\r");
    cr_expect(top.page == PAGE_DETAILS);
    top_look(&top, 2000);
    FILE *out = open_memstream(&text, &size);
    details_write(out, &top);
    fclose(out);
    cr_expect(strstr(text, "payments  open") && strstr(text, "open_timeout=1m") &&
                  strstr(text, "open: tripped by an operator"),
              "%s", text);
    free(text);
    type("r\ry");
    cr_expect_eq(health_of("payments").counts.state, CB_CLOSED, "keys work on the page as well");
    type("\033");
    cr_expect(top.page == PAGE_TABLE && !strcmp(top.selected, "payments"));
    type("?");
    cr_expect(top.page == PAGE_HELP);
    type("?q");
    cr_expect(top.page == PAGE_TABLE && top.quit);
}
