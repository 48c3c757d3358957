#include "registryd/http_census.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/panel.h"

#define STEP 256 /* breakers */

void http_census_init(struct http_census *census, struct segment *segment)
{
    *census = (struct http_census){.segment = segment};
}

void http_census_finish(struct http_census *census)
{
    free(census->subjects);
    free(census->in_flight);
    *census = (struct http_census){0};
}

static bool census_begin(struct http_census *census)
{
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < census->segment->capacity; slot++)
        used += (panel_commit(census->segment, slot) & TRAIT_USED) != 0;
    census->room = used;
    census->subjects = calloc((size_t)used + 1, sizeof *census->subjects);
    census->in_flight = calloc((size_t)census->segment->capacity + 1, sizeof *census->in_flight);
    if (census->subjects == NULL || census->in_flight == NULL)
        return false;
    tally_in_flight(census->segment, census->in_flight, NULL);
    return true;
}

static bool subject_fill(const struct http_census *census, uint32_t slot, struct http_subject *subject)
{
    struct control_copy copy;
    if (!panel_read(census->segment, slot, &copy, &subject->commit))
        return false;
    memcpy(subject->name, copy.name, sizeof subject->name);
    subject->name[NAME_SIZE - 1] = '\0';
    subject->slot = slot;
    subject->created_ms = copy.created_ms;
    subject->in_flight = census->in_flight[slot];
    tally_slot(census->segment, slot, &subject->tally);
    tally_tell(census->segment, slot, &subject->tally);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct http_subject *)a)->name, ((const struct http_subject *)b)->name);
}

int http_census_step(struct http_census *census)
{
    if (census->in_flight == NULL && !census_begin(census))
        return -ENOMEM;
    for (uint32_t looked = 0; looked < STEP && census->count < census->room; census->next++) {
        if (census->next == census->segment->capacity)
            break;
        if (!(panel_commit(census->segment, census->next) & TRAIT_USED))
            continue;
        looked++;
        census->count += subject_fill(census, census->next, &census->subjects[census->count]);
    }
    if (census->next < census->segment->capacity && census->count < census->room)
        return 0;
    qsort(census->subjects, census->count, sizeof *census->subjects, by_name);
    return 1;
}
