/* What `cbctl top` knows of the breakers: their counts at each look, and the rates that follow. No terminal, no clock,
 * no registry: whoever looks hands in what there is. */
#ifndef TOOLS_TOP_MODEL_H
#define TOOLS_TOP_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <cbclient.h>

#define TOP_SAMPLES 40 /* looks that are remembered: what a sparkline can show */
#define TOP_RECENT  5  /* looks that rates are made of */
#define TOP_STATES  6  /* enum cb_state */

/* What came between two looks. */
struct top_sample {
    uint32_t calls; /* that ended, however */
    uint32_t failures, slow, rejected;
};

/* Of the last TOP_RECENT looks; percentages of the calls that ended. */
struct top_rates {
    double calls, rejected; /* a second */
    double failed, slow;    /* percent */
};

struct top_row {
    char name[64];
    struct cb_snapshot counts;
    uint64_t retry_after_ms, override_left_ms; /* as in struct cb_health */
    uint64_t changed_ms;                       /* when the state changed last, CLOCK_MONOTONIC; 0: not known */
    struct top_rates rates;
    unsigned sample_count;
    struct top_sample samples[TOP_SAMPLES]; /* a ring, by the model's look */
};

struct top_model {
    struct top_row **rows; /* sorted by name */
    size_t count, room;
    struct top_row **old; /* during a look: those of the one before that are not found again yet */
    size_t old_count, old_next, old_room;
    uint64_t look, at_ms;          /* how many looks, and when the last one was */
    uint32_t span_ms[TOP_SAMPLES]; /* between looks, a ring as the samples */
    size_t states[TOP_STATES];     /* breakers in each state */
    uint64_t transitions;          /* of all breakers: moves when one of them changes */
};

/* A look at `now_ms`: begin, every breaker in the order of names (for cb_list(), `arg`: the model), end. Breakers that
 * are not seen are forgotten. The visit returns 0, or -ENOMEM. */
void model_begin(struct top_model *, uint64_t now_ms);
int model_see(const struct cb_health *, void *arg);
void model_end(struct top_model *);
void model_free(struct top_model *);

/* For cb_history() likewise: an event may tell when a breaker changed. */
int model_hear(const struct cb_event *, void *arg);

/* NULL: there is none of that name. */
struct top_row *model_find(const struct top_model *, const char *name);

/* A column of a sparkline: everything that was asked for, a second; and how much of it failed or was rejected: 0 next
 * to nothing, 1 a tenth or more, 2 half or more. */
struct top_point {
    uint64_t height;
    unsigned trouble;
};
/* The newest `count` looks, oldest first; those that the row has not seen are 0. */
void model_history(const struct top_model *, const struct top_row *, struct top_point *out, unsigned count);

#endif
