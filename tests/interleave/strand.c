#include "tests/interleave/strand.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define WATCHED_MAX 16

static struct watched watched[WATCHED_MAX];
static unsigned watched_count;
static struct strand *running;
static jmp_buf outside;

uint64_t hash_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

void strand_watch(const volatile void *word, size_t size, const char *name, unsigned number)
{
    cr_assert_lt(watched_count, WATCHED_MAX);
    struct watched *w = &watched[watched_count++];
    *w = (struct watched){.word = word, .size = size};
    snprintf(w->name, sizeof w->name, name, number);
}

void strand_watch_none(void)
{
    watched_count = 0;
}

static const struct watched *watched_find(const volatile void *word)
{
    for (unsigned i = 0; i < watched_count; i++)
        if (watched[i].word == word)
            return &watched[i];
    return NULL;
}

/* Where it goes on is saved before the jump; nothing but `running` is looked at behind it. */
void access_begin(const volatile void *word, size_t size)
{
    const struct watched *next = running ? watched_find(word) : NULL;
    uint64_t found = 0;
    if (!next)
        return;
    running->at = next;
    if (_setjmp(running->here) == 0)
        _longjmp(outside, 1);
    memcpy(&found, (const void *)running->at->word, size);
    running->history = hash_mix(running->history, found);
}

/* At the bottom of each strand's stack: never returns, so that every act can begin here again. */
static void strand_main(void)
{
    if (_setjmp(running->begin) != 0) {
        running->act(running->arg);
        running->busy = false;
        running->history = 0;
    }
    _longjmp(outside, 1);
}

static void strand_run(struct strand *strand, jmp_buf from)
{
    running = strand;
    if (_setjmp(outside) == 0)
        _longjmp(from, 1);
    running = NULL;
}

void strand_create(struct strand *strand)
{
    ucontext_t context;
    *strand = (struct strand){.stack = malloc(STRAND_STACK)};
    cr_assert(strand->stack && getcontext(&context) == 0);
    context.uc_stack.ss_sp = strand->stack;
    context.uc_stack.ss_size = STRAND_STACK;
    makecontext(&context, strand_main, 0);
    running = strand;
    if (_setjmp(outside) == 0)
        setcontext(&context);
    running = NULL;
}

void strand_destroy(struct strand *strand)
{
    free(strand->stack);
    *strand = (struct strand){0};
}

void strand_begin(struct strand *strand, void (*act)(void *), void *arg, uint64_t seen)
{
    strand->busy = true;
    strand->history = hash_mix((uint64_t)(uintptr_t)act, seen);
    strand->act = act;
    strand->arg = arg;
    strand_run(strand, strand->begin);
}

void strand_step(struct strand *strand, uint64_t seen)
{
    strand->history = hash_mix(strand->history, seen);
    strand_run(strand, strand->here);
}

void strand_kill(struct strand *strand)
{
    strand->busy = false;
    strand->history = 0;
}
