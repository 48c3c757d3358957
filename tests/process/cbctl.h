/* Running cbctl. */
#ifndef TESTS_CBCTL_H
#define TESTS_CBCTL_H

#include <criterion/criterion.h>
#include <string.h>

#include "tests/harness.h"

/* Run cbctl and expect an exit code and a part of what it prints (on either stream). */
#define expect(code, part, ...)                                                                                        \
    do {                                                                                                               \
        struct output output_;                                                                                         \
        run(&output_, CBCTL_PATH, __VA_ARGS__, (char *)NULL);                                                          \
        cr_expect_eq(output_.status, code, "%s: exit %d\n%s%s", #__VA_ARGS__, output_.status, output_.out,             \
                     output_.err);                                                                                     \
        cr_expect(strstr(output_.out, part) || strstr(output_.err, part), "%s: no \"%s\" in\n%s%s", #__VA_ARGS__,      \
                  part, output_.out, output_.err);                                                                     \
        output_free(&output_);                                                                                         \
    } while (0)

#endif
