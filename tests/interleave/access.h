/*
 * Included by force before everything else in the sources of the call path, for tests/interleave: each of their atomic
 * accesses calls access_begin() first, where a strand may have to wait until it is its turn. All strands run in one
 * thread, so that plain accesses do afterwards.
 */
#ifndef TESTS_ACCESS_H
#define TESTS_ACCESS_H

#include <stdatomic.h>
#include <stddef.h>

/* `word` is about to be accessed. Without a running strand, or if nobody watches that word: nothing. */
void access_begin(const volatile void *word, size_t size);

#define ACCESS(word) access_begin((const volatile void *)(word), sizeof *(word))

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit

#define atomic_load(word)                             (ACCESS(word), *(word))
#define atomic_load_explicit(word, order)             atomic_load(word)
#define atomic_store(word, value)                     (ACCESS(word), (void)(*(word) = (value)))
#define atomic_store_explicit(word, value, order)     atomic_store(word, value)
#define atomic_fetch_add_explicit(word, value, order) atomic_fetch_add(word, value)
#define atomic_compare_exchange_weak(word, old, next) atomic_compare_exchange_strong(word, old, next)
#define atomic_compare_exchange_strong_explicit(word, old, next, success, failure)                                     \
    atomic_compare_exchange_strong(word, old, next)
#define atomic_compare_exchange_weak_explicit(word, old, next, success, failure)                                       \
    atomic_compare_exchange_strong(word, old, next)

#define atomic_fetch_add(word, value)                                                                                  \
    __extension__({                                                                                                    \
        ACCESS(word);                                                                                                  \
        __typeof__((void)0, *(word)) found_ = *(word);                                                                 \
        *(word) = found_ + (value);                                                                                    \
        found_;                                                                                                        \
    })
#define atomic_exchange(word, value)                                                                                   \
    __extension__({                                                                                                    \
        ACCESS(word);                                                                                                  \
        __typeof__((void)0, *(word)) found_ = *(word);                                                                 \
        *(word) = (value);                                                                                             \
        found_;                                                                                                        \
    })
#define atomic_compare_exchange_strong(word, old, next)                                                                \
    __extension__({                                                                                                    \
        ACCESS(word);                                                                                                  \
        _Bool same_ = *(word) == *(old);                                                                               \
        if (same_)                                                                                                     \
            *(word) = (next);                                                                                          \
        else                                                                                                           \
            *(old) = *(word);                                                                                          \
        same_;                                                                                                         \
    })

#endif
