#include "top_model.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- rates ---- */

/* Sums are read while others count: one may be a little less than the one before. */
static uint32_t came(uint64_t now, uint64_t before)
{
    uint64_t grown = now > before ? now - before : 0;
    return grown < UINT32_MAX ? (uint32_t)grown : UINT32_MAX;
}

static uint64_t lost(const struct cb_snapshot *counts)
{
    return counts->failures + counts->abandoned + counts->overdue;
}

static uint64_t ended(const struct cb_snapshot *counts)
{
    return counts->successes + lost(counts) + counts->ignored;
}

static struct top_sample sample_between(const struct cb_snapshot *now, const struct cb_snapshot *before)
{
    return (struct top_sample){
        .calls = came(ended(now), ended(before)),
        .failures = came(lost(now), lost(before)),
        .slow = came(now->slow, before->slow),
        .rejected = came(now->rejected, before->rejected),
    };
}

static double percent(uint64_t part, uint64_t all)
{
    if (!all)
        return 0;
    return part < all ? 100.0 * (double)part / (double)all : 100;
}

static struct top_rates rates_of(const struct top_model *model, const struct top_row *row)
{
    uint64_t calls = 0, failures = 0, slow = 0, rejected = 0, ms = 0;
    for (unsigned i = 0; i < row->sample_count && i < TOP_RECENT; i++) {
        size_t at = (model->look - i) % TOP_SAMPLES;
        const struct top_sample *sample = &row->samples[at];
        calls += sample->calls;
        failures += sample->failures;
        slow += sample->slow;
        rejected += sample->rejected;
        ms += model->span_ms[at];
    }
    double seconds = ms ? (double)ms / 1000 : 1;
    return (struct top_rates){(double)calls / seconds, (double)rejected / seconds, percent(failures, calls),
                              percent(slow, calls)};
}

/* ---- a look ---- */

void model_begin(struct top_model *model, uint64_t now_ms)
{
    struct top_row **rows = model->old;
    size_t room = model->old_room;
    model->old = model->rows;
    model->old_count = model->count;
    model->old_room = model->room;
    model->old_next = 0;
    model->rows = rows;
    model->room = room;
    model->count = 0;
    model->look++;
    uint64_t span = model->at_ms && now_ms > model->at_ms ? now_ms - model->at_ms : 1;
    model->span_ms[model->look % TOP_SAMPLES] = span < UINT32_MAX ? (uint32_t)span : UINT32_MAX;
    model->at_ms = now_ms;
    model->transitions = 0;
    memset(model->states, 0, sizeof model->states);
}

static bool rows_grow(struct top_model *model)
{
    if (model->count < model->room)
        return true;
    size_t room = model->room ? model->room * 2 : 64;
    struct top_row **rows = realloc(model->rows, room * sizeof *rows);
    if (!rows)
        return false;
    model->rows = rows;
    model->room = room;
    return true;
}

/* The row of the last look, or a new one. Both looks go by name, so those that are passed over are gone. */
static struct top_row *row_take(struct top_model *model, const struct cb_health *health)
{
    int order = 1;
    while (model->old_next < model->old_count) {
        order = strcmp(model->old[model->old_next]->name, health->name);
        if (order >= 0)
            break;
        free(model->old[model->old_next++]);
    }
    if (order == 0)
        return model->old[model->old_next++];
    struct top_row *row = calloc(1, sizeof *row);
    if (row) {
        memcpy(row->name, health->name, sizeof row->name);
        row->counts = health->counts;
    }
    return row;
}

static void row_update(struct top_model *model, struct top_row *row, const struct cb_health *health)
{
    row->samples[model->look % TOP_SAMPLES] = sample_between(&health->counts, &row->counts);
    if (row->sample_count < TOP_SAMPLES)
        row->sample_count++;
    row->counts = health->counts;
    row->retry_after_ms = health->retry_after_ms;
    row->override_left_ms = health->override_left_ms;
    row->rates = rates_of(model, row);
}

int model_see(const struct cb_health *health, void *arg)
{
    struct top_model *model = arg;
    struct top_row *row = rows_grow(model) ? row_take(model, health) : NULL;
    if (!row)
        return -ENOMEM;
    row_update(model, row, health);
    model->rows[model->count++] = row;
    if (row->counts.state < TOP_STATES)
        model->states[row->counts.state]++;
    model->transitions += row->counts.transitions + 1; /* a breaker that comes or goes moves it as well */
    return 0;
}

static void old_free(struct top_model *model)
{
    while (model->old_next < model->old_count)
        free(model->old[model->old_next++]);
}

void model_end(struct top_model *model)
{
    old_free(model);
}

void model_free(struct top_model *model)
{
    old_free(model);
    for (size_t i = 0; i < model->count; i++)
        free(model->rows[i]);
    free(model->rows);
    free(model->old);
    *model = (struct top_model){0};
}

/* ---- asking ---- */

static int by_name(const void *name, const void *row)
{
    return strcmp(name, (*(struct top_row *const *)row)->name);
}

struct top_row *model_find(const struct top_model *model, const char *name)
{
    struct top_row **found = NULL;
    if (model->count)
        found = bsearch(name, model->rows, model->count, sizeof(struct top_row *), by_name);
    return found ? *found : NULL;
}

int model_hear(const struct cb_event *event, void *arg)
{
    struct top_row *row = event->from != event->to ? model_find(arg, event->name) : NULL;
    if (row && event->time_ms > row->changed_ms)
        row->changed_ms = event->time_ms;
    return 0;
}

void model_history(const struct top_model *model, const struct top_row *row, struct top_point *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned age = count - 1 - i;
        size_t at = (model->look - age) % TOP_SAMPLES;
        const struct top_sample *sample = &row->samples[at];
        uint64_t all = (uint64_t)sample->calls + sample->rejected, bad = (uint64_t)sample->failures + sample->rejected;
        out[i] = (struct top_point){0, 0};
        if (age >= row->sample_count || !all)
            continue;
        out[i].height = all * 1000 / model->span_ms[at] + 1; /* less than one a second is not nothing */
        out[i].trouble = 2 * bad >= all ? 2 : 10 * bad >= all;
    }
}
