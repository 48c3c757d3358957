#include "core/journal.h"

#include "core/panel.h"

static struct record *record_at(const struct segment *segment, uint64_t sequence)
{
    return &segment->journal[sequence & (segment->journal_length - 1)];
}

/* The incarnation tells later whether the slot is still the breaker that this is about. */
static uint64_t pack_what(const struct journal_entry *e, uint16_t incarnation)
{
    return (uint64_t)(e->slot & 0xffff) << 48 | (uint64_t)e->epoch << 32 | (uint64_t)(e->from & 0xff) << 24 |
           (uint64_t)(e->to & 0xff) << 16 | (uint64_t)(e->cause & 0xff) << 8 | (incarnation & 0xff);
}

static void unpack_what(uint64_t what, struct journal_entry *e)
{
    e->slot = (uint32_t)(what >> 48);
    e->epoch = (uint16_t)(what >> 32);
    e->from = (unsigned)(what >> 24) & 0xff;
    e->to = (unsigned)(what >> 16) & 0xff;
    e->cause = (unsigned)(what >> 8) & 0xff;
    e->incarnation = (unsigned)what & 0xff;
}

void journal_append(const struct segment *segment, const struct journal_entry *entry)
{
    uint64_t sequence = atomic_fetch_add_explicit(&segment->live->journal_head, 1, memory_order_relaxed);
    struct record *record = record_at(segment, sequence);
    /* Invalid while it is filled. A reader that sees one of these fields (acquire) also sees this 0, or what follows. */
    atomic_store_explicit(&record->sequence, 0, memory_order_relaxed);
    atomic_store_explicit(&record->time_ms, entry->time_ms, memory_order_release);
    atomic_store_explicit(&record->what, pack_what(entry, commit_incarnation(panel_commit(segment, entry->slot))),
                          memory_order_release);
    atomic_store_explicit(&record->who, (uint64_t)entry->uid << 32 | entry->pid, memory_order_release);
    atomic_store_explicit(&record->value, entry->value, memory_order_release);
    atomic_store_explicit(&record->of, entry->of, memory_order_release);
    atomic_store_explicit(&record->threshold, entry->threshold, memory_order_release);
    atomic_store_explicit(&record->until_ms, entry->until_ms, memory_order_release);
    /* Releases the fields to the acquire in journal_read. */
    atomic_store_explicit(&record->sequence, sequence + 1, memory_order_release);
}

uint64_t journal_next(const struct segment *segment)
{
    return atomic_load_explicit(&segment->live->journal_head, memory_order_relaxed);
}

uint64_t journal_first(const struct segment *segment)
{
    uint64_t next = journal_next(segment);
    return next > segment->journal_length ? next - segment->journal_length : 0;
}

bool journal_read(const struct segment *segment, uint64_t sequence, struct journal_entry *out)
{
    const struct record *record = record_at(segment, sequence);
    if (atomic_load_explicit(&record->sequence, memory_order_acquire) != sequence + 1)
        return false;
    out->sequence = sequence;
    out->time_ms = atomic_load_explicit(&record->time_ms, memory_order_acquire);
    unpack_what(atomic_load_explicit(&record->what, memory_order_acquire), out);
    uint64_t who = atomic_load_explicit(&record->who, memory_order_acquire);
    out->uid = (uint32_t)(who >> 32);
    out->pid = (uint32_t)who;
    out->value = atomic_load_explicit(&record->value, memory_order_acquire);
    out->of = atomic_load_explicit(&record->of, memory_order_acquire);
    out->threshold = atomic_load_explicit(&record->threshold, memory_order_acquire);
    out->until_ms = atomic_load_explicit(&record->until_ms, memory_order_acquire);
    return atomic_load_explicit(&record->sequence, memory_order_acquire) == sequence + 1;
}
