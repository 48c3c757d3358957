/* Charts in text and the percentiles of a histogram. */
#include <criterion/criterion.h>
#include <string.h>

#include "chart.h"
#include "latency.h"

Test(chart, a_column_is_empty_only_for_nothing)
{
    cr_expect_eq(spark_level(0, 10), 0);
    cr_expect_eq(spark_level(1, 1000000), 1);
    cr_expect_eq(spark_level(500, 1000), CHART_LEVELS / 2);
    cr_expect_eq(spark_level(501, 1000), CHART_LEVELS / 2 + 1);
    cr_expect_eq(spark_level(1000, 1000), CHART_LEVELS);
    cr_expect_eq(spark_level(UINT64_MAX, UINT64_MAX), CHART_LEVELS);
    cr_expect_eq(spark_level(2000, 1000), CHART_LEVELS);
    cr_expect_eq(spark_level(5, 0), 0);
}

Test(chart, a_column_is_one_character_of_the_locale)
{
    cr_expect_str_eq(spark_text(0, true), " ");
    cr_expect_str_eq(spark_text(8, true), "█");
    cr_expect_str_eq(spark_text(9, true), "█");
    for (unsigned level = 0; level <= CHART_LEVELS; level++)
        cr_expect(strlen(spark_text(level, false)) == 1, "level %u", level);
}

Test(chart, a_bar_is_as_long_as_its_value)
{
    char bar[BAR_TEXT];
    cr_expect_str_eq(bar_text(0, 10, true, bar), "");
    cr_expect_eq(strlen(bar_text(10, 10, false, bar)), BAR_WIDTH);
    cr_expect_eq(strlen(bar_text(10, 10, true, bar)), 3 * BAR_WIDTH);
    cr_expect_eq(strlen(bar_text(5, 10, false, bar)), BAR_WIDTH / 2);
    cr_expect_str_eq(bar_text(1, 1000000, false, bar), "#");
    cr_expect_str_eq(bar_text(1, 1000000, true, bar), "▏");
}

static struct cb_latency histogram(void)
{
    struct cb_latency latency = {.calls = {[0] = 900, [10] = 99, [CB_LATENCY_BUCKETS - 1] = 1}};
    for (unsigned i = 0; i < CB_LATENCY_BUCKETS; i++)
        latency.bound_ns[i] = (i + 1) * 1000000;
    return latency;
}

Test(chart, percentiles_are_bounds_of_buckets)
{
    struct cb_latency latency = histogram(), empty = {.calls = {0}};
    cr_expect_eq(latency_count(&latency), 1000);
    cr_expect_eq(latency_permille(&latency, 500), 1000);
    cr_expect_eq(latency_permille(&latency, 900), 1000);
    cr_expect_eq(latency_permille(&latency, 901), 11000);
    cr_expect_eq(latency_permille(&latency, 999), 11000);
    cr_expect_eq(latency_permille(&latency, 1000), CB_LATENCY_BUCKETS * 1000);
    cr_expect_eq(latency_permille(&empty, 500), 0);
}

Test(chart, a_histogram_that_began_anew_is_all_recent)
{
    struct cb_latency before = histogram(), now = histogram();
    now.calls[10] += 7;
    struct cb_latency since = latency_since(&now, &before);
    cr_expect_eq(latency_count(&since), 7);
    now.calls[0] = 3;
    since = latency_since(&now, &before);
    cr_expect_eq(latency_count(&since), latency_count(&now));
}

Test(chart, a_time_has_three_digits_and_a_unit)
{
    char text[LATENCY_TEXT];
    cr_expect_str_eq(latency_text(999, text), "999us");
    cr_expect_str_eq(latency_text(1500, text), "1.5ms");
    cr_expect_str_eq(latency_text(12345, text), "12.3ms");
    cr_expect_str_eq(latency_text(137438953, text), "137s");
}
