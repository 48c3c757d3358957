#include <criterion/criterion.h>

#include "core/reason.h"

Test(reason, plain_text_in_any_language)
{
    cr_assert_eq(reason_fault(""), 0);
    cr_assert_eq(reason_fault("db failover, ticket #42 ~"), 0);
    cr_assert_eq(
        reason_fault("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0 \xed\x9f\xbf \xf4\x8f\xbf\xbf"), 0);
}

Test(reason, control_characters_are_named_by_their_place)
{
    cr_assert_eq(reason_fault("two\nlines"), 4);
    cr_assert_eq(reason_fault("\x1b[31m"), 1);
    cr_assert_eq(reason_fault("a\x7f"), 2);
    cr_assert_eq(reason_fault("csi \xc2\x9b"), 5);
}

Test(reason, what_is_no_utf_8)
{
    static const char *const bad[] = {"\x9b",         "\xff",         "\xc3",         "\xc3(",     "\xc0\xaf",
                                      "\xe0\x80\xaf", "\xed\xa0\x80", "\xe2\x82",     "\xe2\x82(", "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80", "\xf0\x9f\x98", "\xf5\x80\x80", "\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(reason_fault(bad[i]), 1, "number %zu", i);
}
