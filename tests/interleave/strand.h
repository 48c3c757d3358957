/*
 * A strand: what one process does, going from one access of a watched word to the next only when it is told to. All
 * strands are coroutines of one thread, so that what happens is decided by who is told.
 */
#ifndef TESTS_STRAND_H
#define TESTS_STRAND_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRAND_STACK 65536

struct watched {
    const volatile void *word;
    size_t size;
    char name[24];
};

struct strand {
    bool busy;                /* it has begun and not come to its end */
    const struct watched *at; /* busy: what it will access next */
    uint64_t
        history; /* a hash of its act and all that it has found since it began: where it stands goes by that alone */
    void (*act)(void *);
    void *arg;
    jmp_buf begin, here;
    char *stack;
};

/* Before all: a word that strands wait at. */
void strand_watch(const volatile void *word, size_t size, const char *name, unsigned number);
void strand_watch_none(void);

void strand_create(struct strand *);
void strand_destroy(struct strand *);
/* Begin act(arg): up to its first access. `seen`: what it knows then. */
void strand_begin(struct strand *, void (*act)(void *), void *arg, uint64_t seen);
/* Make that access and go up to the next one, or to the end. `seen`: what it may see besides that word: the time. */
void strand_step(struct strand *, uint64_t seen);
/* It goes no further. */
void strand_kill(struct strand *);

/* `hash`, with `value` mixed into it. */
uint64_t hash_mix(uint64_t hash, uint64_t value);

#endif
