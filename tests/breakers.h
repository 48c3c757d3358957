/* A shared breaker, or what it looks like; with an assertion that says why not. */
#ifndef TESTS_BREAKERS_H
#define TESTS_BREAKERS_H

#include <criterion/criterion.h>

#include "cbclient.h"

static inline cb_breaker *breaker_created(cb_registry *registry, const char *name, const char *policy)
{
    cb_breaker *breaker;
    cr_assert_eq(cb_get_or_create(registry, name, policy, &breaker), 0, "%s", cb_last_error());
    return breaker;
}

static inline struct cb_health breaker_health(cb_registry *registry, const char *name)
{
    struct cb_health health;
    cb_breaker *breaker;
    cr_assert_eq(cb_get(registry, name, &breaker), 0, "%s: %s", name, cb_last_error());
    cr_assert_eq(cb_health_of(breaker, &health, sizeof health), 0, "%s", cb_last_error());
    return health;
}

#endif
