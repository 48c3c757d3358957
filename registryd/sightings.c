#include "registryd/sightings.h"

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/lane.h"
#include "registryd/log.h"

#define LOOK_MS   1000
#define NOT_THERE UINT32_MAX /* no sequence is that large */

static uint32_t owner_of(const struct segment *segment, uint32_t chunk)
{
    return atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed);
}

/* The sequence of the call that is in flight there. */
static uint32_t sequence_at(const struct segment *segment, uint32_t entry)
{
    uint64_t word = atomic_load_explicit(&lane_call(segment, entry)->call, memory_order_relaxed);
    return word & CALL_BUSY ? (uint32_t)(word >> CALL_SEQUENCE_SHIFT & CALL_SEQUENCE_MASK) : NOT_THERE;
}

static void chunk_look(const struct sightings *sightings, uint32_t chunk, uint64_t now_ms)
{
    for (uint32_t entry = chunk * CHUNK_CALLS; entry < (chunk + 1) * CHUNK_CALLS; entry++) {
        uint32_t sequence = sequence_at(sightings->segment, entry);
        struct sighting *sighting = &sightings->first[entry];
        if (sequence != NOT_THERE && (sighting->since_ms == 0 || sighting->sequence != sequence))
            *sighting = (struct sighting){sequence, now_ms};
    }
}

void sightings_look(struct sightings *sightings)
{
    uint64_t now_ms = segment_now_ms(sightings->segment);
    for (uint32_t chunk = 0; chunk < sightings->segment->chunk_count; chunk++)
        if (owner_of(sightings->segment, chunk) != 0)
            chunk_look(sightings, chunk, now_ms);
}

static void on_look(uv_timer_t *timer)
{
    sightings_look(timer->data);
}

bool sightings_start(struct sightings *sightings, uv_loop_t *loop, const struct segment *segment)
{
    *sightings = (struct sightings){.segment = segment};
    /* Untouched until calls are seen there: so it takes no memory for chunks that nobody uses. */
    sightings->first = calloc((size_t)segment->chunk_count * CHUNK_CALLS, sizeof *sightings->first);
    if (sightings->first == NULL) {
        log_say(LOG_ERR, "no memory to remember calls in flight");
        return false;
    }
    uv_timer_init(loop, &sightings->timer);
    sightings->timer.data = sightings;
    uv_timer_start(&sightings->timer, on_look, 0, LOOK_MS);
    return true;
}

void sightings_stop(struct sightings *sightings)
{
    uv_close((uv_handle_t *)&sightings->timer, NULL);
    free(sightings->first);
    sightings->first = NULL;
}

static void page_add(Cb__Sightings *page, uint32_t entry, const struct sighting *sighting)
{
    page->entries[page->n_entries++] = entry;
    page->sequences[page->n_sequences++] = sighting->sequence;
    page->since_ms[page->n_since_ms++] = sighting->since_ms;
}

static void page_fill(const struct sightings *sightings, uint32_t from, Cb__Sightings *page)
{
    const struct segment *segment = sightings->segment;
    for (uint32_t entry = from; entry / CHUNK_CALLS < segment->chunk_count; entry++) {
        const struct sighting *sighting = &sightings->first[entry];
        if (owner_of(segment, entry / CHUNK_CALLS) == 0 || sighting->since_ms == 0 ||
            sequence_at(segment, entry) != sighting->sequence)
            continue;
        if (page->n_entries == SIGHTINGS_PAGE) {
            page->more = true;
            return;
        }
        page_add(page, entry, sighting);
    }
}

void sightings_page(const struct sightings *sightings, uint32_t from, struct reply *reply)
{
    struct sightings_page *room = calloc(1, sizeof *room);
    if (room == NULL) {
        reply_fail(reply, -ENOMEM, "the daemon is out of memory");
        return;
    }
    Cb__Sightings *page = &reply->body.sightings;
    *page = (Cb__Sightings)CB__SIGHTINGS__INIT;
    page->entries = room->entries;
    page->sequences = room->sequences;
    page->since_ms = room->since_ms;
    page_fill(sightings, from, page);
    reply->sightings = room;
    reply->message.kind_case = CB__REPLY__KIND_SIGHTINGS;
    reply->message.sightings = page;
}
