/* Stands in for Criterion where its sandbox cannot start (ThreadSanitizer reserves the addresses that it wants): the
 * same tests, one after the other in one process. For test programs of a single source. */
#ifndef TESTS_PLAIN_CRITERION_H
#define TESTS_PLAIN_CRITERION_H

#include <stdio.h>
#include <stdlib.h>

struct plain_test {
    const char *name;
    void (*run)(void);
    struct plain_test *next;
};
static struct plain_test *plain_tests;
static _Atomic int plain_bad; /* in the test that runs */

#define Test(suite, test)                                                                                              \
    static void suite##_##test(void);                                                                                  \
    __attribute__((constructor)) static void suite##_##test##_add(void)                                                \
    {                                                                                                                  \
        static struct plain_test entry = {#suite "::" #test, suite##_##test, NULL};                                    \
        entry.next = plain_tests;                                                                                      \
        plain_tests = &entry;                                                                                          \
    }                                                                                                                  \
    static void suite##_##test(void)

#define cr_expect(condition, ...) ((condition) ? (void)0 : plain_fail(__FILE__, __LINE__, #condition))
#define cr_expect_eq(a, b, ...)   cr_expect((a) == (b))
#define cr_expect_leq(a, b, ...)  cr_expect((a) <= (b))
#define cr_expect_gt(a, b, ...)   cr_expect((a) > (b))
#define cr_assert(condition, ...) ((condition) ? (void)0 : (plain_fail(__FILE__, __LINE__, #condition), abort()))
#define cr_assert_eq(a, b, ...)   cr_assert((a) == (b))

static void plain_fail(const char *file, int line, const char *what)
{
    plain_bad = 1;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
}

int main(void)
{
    unsigned tested = 0, failing = 0;
    for (const struct plain_test *test = plain_tests; test; test = test->next) {
        plain_bad = 0;
        test->run();
        tested++;
        failing += plain_bad != 0;
        if (plain_bad)
            fprintf(stderr, "[FAIL] %s\n", test->name);
    }
    printf("Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: 0\n", tested, tested - failing, failing);
    return failing != 0;
}

#endif
