/* What cbctl top makes of what it sees: rates, order, columns, and text in so many columns. */
#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

#include "fit.h"
#include "top_columns.h"
#include "top_model.h"
#include "top_order.h"

static struct top_model model;

static void end(void)
{
    model_free(&model);
}

TestSuite(top, .fini = end);

/* ---- the model ---- */

static struct cb_health health_of(const char *name, uint64_t state, uint64_t successes, uint64_t failures)
{
    struct cb_health health = {.counts = {.state = state, .successes = successes, .failures = failures}};
    strcpy(health.name, name);
    return health;
}

/* One look at these. */
static void look(uint64_t now_ms, const struct cb_health *seen, size_t count)
{
    model_begin(&model, now_ms);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(model_see(&seen[i], &model), 0);
    model_end(&model);
}

static const struct top_row *look_at_one(uint64_t now_ms, struct cb_health health)
{
    look(now_ms, &health, 1);
    return model_find(&model, health.name);
}

Test(top, rates_are_of_the_last_looks)
{
    const struct top_row *row = look_at_one(1000, health_of("a", CB_CLOSED, 1000000, 500));
    cr_expect_eq(row->rates.calls, 0, "what was before it looked is nobody's rate");
    row = look_at_one(2000, health_of("a", CB_CLOSED, 1000090, 510));
    cr_expect_float_eq(row->rates.failed, 10, 1e-9);
    for (unsigned i = 1; i <= TOP_RECENT; i++)
        row = look_at_one(2000 + i * 1000, health_of("a", CB_CLOSED, 1000090 + i * 20, 510));
    cr_expect_float_eq(row->rates.calls, 20, 1e-9);
    cr_expect_eq(row->rates.failed, 0, "failures are old by now");
}

Test(top, rates_are_a_second_whatever_the_time_between_looks)
{
    look_at_one(1000, health_of("a", CB_CLOSED, 0, 0));
    struct cb_health health = health_of("a", CB_CLOSED, 30, 10);
    health.counts.abandoned = 5;
    health.counts.overdue = 5;
    health.counts.ignored = 50;
    health.counts.slow = 25;
    health.counts.rejected = 7;
    const struct top_row *row = look_at_one(1500, health);
    cr_expect_float_eq(row->rates.calls, 200, 1, "%f", row->rates.calls);
    cr_expect_float_eq(row->rates.rejected, 14, 0.1);
    cr_expect_float_eq(row->rates.failed, 20, 1e-9);
    cr_expect_float_eq(row->rates.slow, 25, 1e-9);
}

Test(top, a_sum_that_goes_back_is_no_rate)
{
    look_at_one(1000, health_of("a", CB_CLOSED, 100, 0));
    cr_expect_eq(look_at_one(2000, health_of("a", CB_CLOSED, 99, 0))->rates.calls, 0);
}

Test(top, breakers_come_and_go)
{
    struct cb_health first[] = {health_of("a", CB_CLOSED, 1, 0), health_of("c", CB_OPEN, 1, 0)};
    struct cb_health second[] = {health_of("b", CB_CLOSED, 5, 0), health_of("c", CB_CLOSED, 9, 0),
                                 health_of("d", CB_OPEN, 7, 0)};
    look(1000, first, 2);
    uint64_t before = model.transitions;
    cr_expect(model.states[CB_CLOSED] == 1 && model.states[CB_OPEN] == 1);
    look(2000, second, 3);
    cr_expect_eq(model.count, 3);
    cr_expect_null(model_find(&model, "a"));
    cr_expect_eq(model_find(&model, "b")->rates.calls, 0, "a new one has no past");
    cr_expect_float_eq(model_find(&model, "c")->rates.calls, 8, 0.1);
    cr_expect(model.states[CB_CLOSED] == 2 && model.states[CB_OPEN] == 1);
    cr_expect_neq(model.transitions, before);
    struct cb_health last = health_of("z", CB_CLOSED, 4, 0);
    look(3000, &last, 1);
    cr_expect(model.count == 1 && model_find(&model, "z")->rates.calls == 0);
    look(4000, NULL, 0);
    cr_expect(model.count == 0 && !model_find(&model, "z"));
}

Test(top, a_change_of_state_is_remembered)
{
    struct cb_event event = {.name = "a", .from = CB_CLOSED, .to = CB_OPEN, .time_ms = 500};
    const struct top_row *row = look_at_one(1000, health_of("a", CB_OPEN, 0, 0));
    cr_expect_eq(row->changed_ms, 0);
    model_hear(&event, &model);
    event.to = CB_CLOSED;
    event.time_ms = 700;
    model_hear(&event, &model);
    cr_expect_eq(row->changed_ms, 500, "a new policy is no change of state");
    strcpy(event.name, "gone");
    cr_expect_eq(model_hear(&event, &model), 0);
    look_at_one(2000, health_of("a", CB_OPEN, 0, 0));
    cr_expect_eq(model_find(&model, "a")->changed_ms, 500);
}

Test(top, a_sparkline_shows_the_latest_looks)
{
    struct top_point points[TOP_SAMPLES];
    const struct top_row *row = NULL;
    uint64_t failures = 0;
    for (unsigned i = 0; i < TOP_SAMPLES + 3; i++) {
        failures += i % 2 ? 100 : 0;
        row = look_at_one(1000 + i * 1000, health_of("a", CB_CLOSED, i * 10, failures));
    }
    model_history(&model, row, points, 3);
    cr_expect(points[0].height == 11 && points[1].height == 111 && points[2].height == 11, "%lu %lu %lu",
              points[0].height, points[1].height, points[2].height);
    cr_expect(points[0].trouble == 0 && points[1].trouble == 2);
    model_history(&model, row, points, TOP_SAMPLES);
    cr_expect_eq(points[0].height, 111);
}

/* ---- order ---- */

static const char *names_in(enum top_order order, const char *filter)
{
    static char names[256];
    struct top_row *rows[16];
    size_t count = order_rows(&model, filter, order, rows);
    *names = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(strcat(names, i ? " " : ""), rows[i]->name);
    return names;
}

static void look_at_all_kinds(void)
{
    struct cb_health seen[] = {health_of("busy", CB_CLOSED, 0, 0),     health_of("disabled", CB_DISABLED, 0, 0),
                               health_of("failing", CB_CLOSED, 0, 0),  health_of("forced", CB_FORCED_OPEN, 0, 0),
                               health_of("half", CB_HALF_OPEN, 0, 0),  health_of("open", CB_OPEN, 0, 0),
                               health_of("rejecting", CB_CLOSED, 0, 0)};
    look(1000, seen, 7);
    seen[0].counts.successes = 1000;
    seen[0].counts.in_flight = 3;
    seen[2].counts.failures = 5;
    seen[2].counts.slow = 5;
    seen[6].counts.rejected = 50;
    look(2000, seen, 7);
    model_find(&model, "half")->changed_ms = 9;
}

Test(top, trouble_comes_first)
{
    look_at_all_kinds();
    cr_expect_str_eq(names_in(ORDER_TROUBLE, ""), "forced open half disabled failing rejecting busy");
}

Test(top, every_order_has_its_first)
{
    look_at_all_kinds();
    cr_expect_str_eq(names_in(ORDER_NAME, ""), "busy disabled failing forced half open rejecting");
    cr_expect_str_eq(names_in(ORDER_CALLS, ""), "busy failing disabled forced half open rejecting");
    cr_expect_str_eq(names_in(ORDER_FAILED, ""), "failing busy disabled forced half open rejecting");
    cr_expect_str_eq(names_in(ORDER_SLOW, ""), "failing busy disabled forced half open rejecting");
    cr_expect_str_eq(names_in(ORDER_REJECTED, ""), "rejecting busy disabled failing forced half open");
    cr_expect_str_eq(names_in(ORDER_IN_FLIGHT, ""), "busy disabled failing forced half open rejecting");
    cr_expect_str_eq(names_in(ORDER_CHANGED, ""), "half busy disabled failing forced open rejecting");
    for (unsigned order = 0; order < ORDER_COUNT; order++)
        cr_expect(strlen(order_name((enum top_order)order)) > 0);
}

Test(top, much_the_same_rates_leave_the_order_alone)
{
    struct cb_health seen[] = {health_of("a", CB_OPEN, 0, 0), health_of("b", CB_OPEN, 0, 0)};
    look(1000, seen, 2);
    seen[0].counts.rejected = 150;
    seen[1].counts.rejected = 160;
    look(2000, seen, 2);
    cr_expect_str_eq(names_in(ORDER_TROUBLE, ""), "a b");
    cr_expect_str_eq(names_in(ORDER_REJECTED, ""), "b a");
}

Test(top, a_filter_is_a_part_of_a_name_or_a_pattern)
{
    look_at_all_kinds();
    cr_expect_str_eq(names_in(ORDER_NAME, "IN"), "failing rejecting");
    cr_expect_str_eq(names_in(ORDER_NAME, "f*g"), "failing");
    cr_expect_str_eq(names_in(ORDER_NAME, "nothing"), "");
}

/* ---- columns ---- */

static unsigned layout_width(const struct top_layout *layout)
{
    unsigned width = 0;
    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        width += layout->width[i] ? layout->width[i] + (width > 0) : 0;
    return width;
}

Test(top, columns_fit_every_terminal)
{
    for (unsigned width = 1; width < 300; width++)
        for (unsigned longest = 0; longest < 64; longest += 9) {
            struct top_layout layout = layout_make(width, longest);
            cr_assert(layout_width(&layout) <= width, "%u columns, %u wide", width, layout_width(&layout));
            cr_assert(layout.width[COLUMN_NAME] > 0 && layout.width[COLUMN_SPARK] <= TOP_SAMPLES);
        }
}

Test(top, columns_give_way_to_narrow_terminals_and_long_names)
{
    struct top_layout wide = layout_make(160, 63), usual = layout_make(80, 63), brief = layout_make(80, 8),
                      narrow = layout_make(40, 63);
    cr_expect(wide.width[COLUMN_NAME] > 50 && wide.width[COLUMN_SLOW] && wide.width[COLUMN_SPARK] == TOP_SAMPLES);
    cr_expect(usual.width[COLUMN_NAME] == 18 && !usual.width[COLUMN_SLOW] && usual.width[COLUMN_CHANGED]);
    cr_expect(brief.width[COLUMN_SLOW] > 0);
    cr_expect(narrow.width[COLUMN_STATE] && narrow.width[COLUMN_FAILED] && !narrow.width[COLUMN_SPARK]);
}

static void expect_cell(const struct top_row *row, enum top_column column, const char *text)
{
    char cell[CELL_TEXT];
    cr_expect_str_eq(cell_text(row, column, 100000, cell), text);
}

Test(top, cells_are_short_and_nothing_is_blank)
{
    struct top_row row = {.name = "a", .counts = {.state = CB_HALF_OPEN}};
    for (unsigned column = COLUMN_CALLS; column < COLUMN_COUNT; column++)
        expect_cell(&row, (enum top_column)column, "");
    row.rates = (struct top_rates){12345678, 0.25, 99.97, 7.04};
    row.counts.in_flight = 123456;
    row.retry_after_ms = 1200;
    row.changed_ms = 40000;
    expect_cell(&row, COLUMN_NAME, "a");
    expect_cell(&row, COLUMN_STATE, "half-open");
    expect_cell(&row, COLUMN_CALLS, "12.3M");
    expect_cell(&row, COLUMN_REJECTED, "0.2");
    expect_cell(&row, COLUMN_FAILED, "100");
    expect_cell(&row, COLUMN_SLOW, "7.0");
    expect_cell(&row, COLUMN_IN_FLIGHT, "123k");
    expect_cell(&row, COLUMN_NEXT, "2s");
    expect_cell(&row, COLUMN_CHANGED, "1m");
    row.override_left_ms = UINT64_MAX;
    row.rates.calls = 12345;
    expect_cell(&row, COLUMN_NEXT, "never");
    expect_cell(&row, COLUMN_CALLS, "12.3k");
}

/* ---- text ---- */

Test(top, what_does_not_fit_is_cut_visibly)
{
    char out[FIT_TEXT];
    setlocale(LC_CTYPE, "C.UTF-8");
    cr_expect_str_eq(fit_text("abc", 5, "…", out), "abc  ");
    cr_expect_str_eq(fit_text("abcde", 5, "…", out), "abcde");
    cr_expect_str_eq(fit_text("abcdef", 5, "…", out), "abcd…");
    cr_expect_str_eq(fit_text("éé", 3, "…", out), "éé ");
    cr_expect_str_eq(fit_text("日本語", 4, "~", out), "日~ ");
    cr_expect_str_eq(fit_text("abc", 0, "…", out), "");
    cr_expect_str_eq(fit_text("\377\377\377", 2, "~", out), "\377~");
    cr_expect_eq(fit_width("日本é"), 5);
}

Test(top, lines_end_at_blanks)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    cr_expect_eq(fit_line("one two", 20), 7);
    cr_expect_eq(fit_line("one two", 5), 3);
    cr_expect_eq(fit_line("one two", 3), 3);
    cr_expect_eq(fit_line("endless", 3), 3);
    cr_expect_eq(fit_line("éééé", 3), 6);
    cr_expect_eq(fit_line("日", 1), 1, "never nothing");
}
