/* Copying between shared memory and private values in 8-byte words, so that a reader never sees half a word. Each store
 * releases and each load acquires: a reader that saw a word of a later writing also sees what was stored before it,
 * which is how it notices (a commit word that has moved, a sequence that is no longer there). Fences would do the same;
 * the thread sanitizer does not know them. Sizes are multiples of 8. */
#ifndef CORE_COPY_H
#define CORE_COPY_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) shared_word;

static inline void words_load(void *out, const void *from, size_t size)
{
    const shared_word *source = from;
    shared_word *target = out;
    for (size_t i = 0; i < size / sizeof *source; i++)
        target[i] = __atomic_load_n(&source[i], __ATOMIC_ACQUIRE);
}

static inline void words_store(void *to, const void *from, size_t size)
{
    const shared_word *source = from;
    shared_word *target = to;
    for (size_t i = 0; i < size / sizeof *source; i++)
        __atomic_store_n(&target[i], source[i], __ATOMIC_RELEASE);
}

#endif
