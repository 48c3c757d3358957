/* A forked child's copy of its parent's private memory: whatever in it speaks of the parent's threads and calls. */
#include "core/header.h"
#include "core/panel.h"

static void chunk_clear(const struct segment *segment, uint32_t chunk)
{
    for (uint32_t i = 0; i < CHUNK_CALLS; i++)
        atomic_store_explicit(&segment->chunks[chunk].calls[i].call, 0, memory_order_relaxed);
    atomic_store_explicit(&segment->owners[chunk], 0, memory_order_relaxed);
}

void segment_inherit(struct segment *segment)
{
    header_furnish(segment); /* a thread that is not here any more may have held one of the mutexes */
    panel_recover(segment);
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++)
        if (atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) != 0)
            chunk_clear(segment, chunk);
    for (uint32_t place = 0; place < segment->panel->place_top && place < segment->place_count; place++)
        atomic_store_explicit(&segment->places[place], 0, memory_order_relaxed);
    for (uint32_t worker = 0; worker < segment->worker_count; worker++)
        atomic_store_explicit(&segment->workers[worker].process, 0, memory_order_relaxed);
}
