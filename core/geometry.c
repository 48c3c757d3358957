#include "core/geometry.h"

#include <stddef.h>
#include <unistd.h>

#define STRIPES_MAX 256
#define WORKERS_MAX (1u << 20)
#define CHUNKS_MAX  (1u << 22)
#define PLACES_MAX  (1u << 22)
#define JOURNAL_MAX (1u << 22)
#define EVENTS_MAX  (1u << 22)

/* Areas begin on a pair of cache lines, which the processor may fetch together. */
#define AREA_ALIGNMENT ((uint64_t)2 * CACHE_LINE)

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t power = 1;
    while (power < at_least)
        power *= 2;
    return power;
}

static uint32_t clamp(uint64_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : (uint32_t)value;
}

void geometry_default(struct geometry *geometry, uint32_t capacity)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    *geometry = (struct geometry){
        .capacity = capacity,
        .stripes = power_of_two(clamp(cpus > 0 ? (uint64_t)cpus : 1, 1, 64)),
        .worker_count = 4096,
        .chunk_count = 32768,
        .place_count = clamp((uint64_t)capacity * 64, 1024, 1u << 20),
        .journal_length = 4096,
        .event_length = 2048,
    };
}

static bool within(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && value <= most;
}

static bool geometry_valid(const struct geometry *geometry)
{
    uint32_t journal = geometry->journal_length, events = geometry->event_length;
    return within(geometry->capacity, 1, CAPACITY_MAX) && within(geometry->stripes, 1, STRIPES_MAX) &&
           within(geometry->worker_count, 1, WORKERS_MAX) && within(geometry->chunk_count, 1, CHUNKS_MAX) &&
           within(geometry->place_count, 1, PLACES_MAX) && within(journal, 1, JOURNAL_MAX) &&
           (journal & (journal - 1)) == 0 && within(events, 1, EVENTS_MAX) && (events & (events - 1)) == 0;
}

/* The next area's offset; *end moves behind it. */
static uint64_t area(uint64_t *end, uint64_t size)
{
    uint64_t offset = (*end + AREA_ALIGNMENT - 1) / AREA_ALIGNMENT * AREA_ALIGNMENT;
    *end = offset + size;
    return offset;
}

static void plan_panel(struct panel_header *header)
{
    uint64_t end = sizeof(struct panel_header);
    header->index_length = power_of_two(2 * header->capacity);
    header->index_offset = area(&end, header->index_length * sizeof(au32));
    header->control_offset = area(&end, header->capacity * sizeof(struct control));
    header->event_offset = area(&end, header->event_length * sizeof(struct event));
    header->panel_size = end;
}

static void plan_live(struct panel_header *header)
{
    uint64_t end = sizeof(struct live_header);
    header->worker_offset = area(&end, header->worker_count * sizeof(struct worker));
    header->owner_offset = area(&end, header->chunk_count * sizeof(au32));
    header->chunk_offset = area(&end, header->chunk_count * sizeof(struct chunk));
    header->place_offset = area(&end, header->place_count * sizeof(au64));
    header->journal_offset = area(&end, header->journal_length * sizeof(struct record));
    header->slot_stride = sizeof(struct slot) + header->stripes * sizeof(struct stripe);
    header->slot_offset = area(&end, header->capacity * header->slot_stride);
    header->live_size = end;
}

bool geometry_plan(const struct geometry *geometry, struct panel_header *header)
{
    if (!geometry_valid(geometry))
        return false;
    header->capacity = geometry->capacity;
    header->stripes = geometry->stripes;
    header->worker_count = geometry->worker_count;
    header->chunk_count = geometry->chunk_count;
    header->place_count = geometry->place_count;
    header->journal_length = geometry->journal_length;
    header->event_length = geometry->event_length;
    plan_panel(header);
    plan_live(header);
    return true;
}

void geometry_of(const struct panel_header *header, struct geometry *out)
{
    *out = (struct geometry){
        .capacity = header->capacity,
        .stripes = header->stripes,
        .worker_count = header->worker_count,
        .chunk_count = header->chunk_count,
        .place_count = header->place_count,
        .journal_length = header->journal_length,
        .event_length = header->event_length,
    };
}

uint64_t geometry_size(const struct geometry *geometry)
{
    struct panel_header header;
    return geometry_plan(geometry, &header) ? header.panel_size + header.live_size : 0;
}
