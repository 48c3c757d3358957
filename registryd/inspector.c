#include "registryd/inspector.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/action.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/guard.h"
#include "core/lane.h"
#include "core/panel.h"
#include "registryd/log.h"

/* So much a turn that all states are gone through in less than a second (before the events would take a wild one for a
 * change that nobody wrote down), and the rest of the usual registry in ten, at a cost that nobody sees; after damage so
 * many times that. */
#define SLOT_TURNS    32
#define OWNER_TURNS   5
#define COUNTS_A_TURN 2
#define CHUNKS_A_TURN 64
#define ALERT_FACTOR  8
#define ALERT_TURNS   500
#define WIPED_TURNS   10 /* writing over all of `live` takes a while */

#define WHAT_SIZE       REASON_SIZE
#define LINES_MOST      20
#define LINES_PERIOD_MS 10000

bool inspector_start(struct inspector *inspector, struct registry *registry)
{
    *inspector = (struct inspector){.registry = registry, .guards = guard_open(&registry->segment)};
    inspector->open_until = calloc(registry->segment.capacity, sizeof *inspector->open_until);
    inspector->owners = calloc(registry->segment.chunk_count, sizeof *inspector->owners);
    inspector->living = calloc(registry->segment.worker_count, sizeof *inspector->living);
    return inspector->open_until && inspector->owners && inspector->living;
}

void inspector_stop(struct inspector *inspector)
{
    if (inspector->guards >= 0)
        close(inspector->guards);
    free(inspector->open_until);
    free(inspector->owners);
    free(inspector->living);
    inspector->open_until = inspector->living = NULL;
    inspector->owners = NULL;
}

void inspector_know(struct inspector *inspector, uint32_t worker, uint64_t process)
{
    if (inspector->living)
        inspector->living[worker] = process;
}

/* ---- saying so ---- */

/* Damage is counted always, and told as often as somebody will read. */
static bool note_damage(struct inspector *inspector)
{
    uint64_t now = segment_now_ms(&inspector->registry->segment);
    atomic_fetch_add(&inspector->registry->segment.panel_rw->damage_count, 1);
    inspector->alert = ALERT_TURNS;
    if (now - inspector->lines_since >= LINES_PERIOD_MS) {
        inspector->lines_since = now;
        inspector->lines = 0;
    }
    if (++inspector->lines == LINES_MOST)
        log_say(LOG_WARNING, "more damage to the shared memory is repaired in the next %d s, and not told here",
                LINES_PERIOD_MS / 1000);
    return inspector->lines < LINES_MOST;
}

static void list_damage(unsigned mask, char out[WHAT_SIZE])
{
#define DAMAGE_TEXT(symbol, bit, text) {symbol, text},
    static const struct {
        unsigned bit;
        const char *text;
    } texts[] = {DAMAGES(DAMAGE_TEXT)};
    *out = '\0';
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!(mask & texts[i].bit))
            continue;
        if (*out)
            strncat(out, ", ", WHAT_SIZE - strlen(out) - 1);
        strncat(out, texts[i].text, WHAT_SIZE - strlen(out) - 1);
    }
}

static void tell_slot(struct inspector *inspector, uint32_t slot, const char *what)
{
    const struct segment *segment = &inspector->registry->segment;
    struct control_copy block;
    if (note_damage(inspector) && panel_read(segment, slot, &block, NULL))
        log_say(LOG_WARNING, "breaker %s: damage to its shared memory repaired: %s; it is %s", block.name, what,
                state_name(call_state(segment, slot)));
}

/* ---- looking ---- */

void inspector_begin(struct inspector *inspector)
{
    inspector->wiped -= inspector->wiped != 0;
    if (!check_header(&inspector->registry->segment))
        return;
    inspector->wiped = WIPED_TURNS;
    if (note_damage(inspector))
        log_say(LOG_WARNING, "damage to the shared memory repaired: its header");
}

/* The state last: where it was closed for want of knowing better, what it is closed with is right already. */
static void look_at_slot(struct inspector *inspector, uint32_t slot)
{
    const struct segment *segment = &inspector->registry->segment;
    struct gate_damage gate;
    char what[WHAT_SIZE];
    unsigned mask = check_slot(segment, slot, &inspector->open_until[slot], &gate);
    if (mask == 0)
        return;
    list_damage(mask | check_counts(segment, slot), what);
    if (mask & DAMAGE_STATE)
        action_repair(&inspector->registry->chronicle.scribe, slot, gate, what);
    tell_slot(inspector, slot, what);
}

static void look_at_slots(struct inspector *inspector, uint32_t count)
{
    const uint32_t capacity = inspector->registry->segment.capacity;
    for (uint32_t i = 0; i < count && i < capacity; i++)
        look_at_slot(inspector, inspector->next_slot++ % capacity);
}

static void look_at_counts(struct inspector *inspector, uint32_t count)
{
    const struct segment *segment = &inspector->registry->segment;
    char what[WHAT_SIZE];
    for (uint32_t i = 0; i < count && i < segment->capacity; i++) {
        uint32_t slot = inspector->next_counts++ % segment->capacity;
        unsigned mask = check_counts(segment, slot);
        list_damage(mask, what);
        if (mask)
            tell_slot(inspector, slot, what);
    }
}

/* All of them, and often: whose a chunk is can be restored only if it was seen before. */
static void look_at_owners(struct inspector *inspector, struct lane_memory memory)
{
    const struct segment *segment = &inspector->registry->segment;
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++)
        if (check_owner_changed(segment, chunk, memory))
            inspector->lane_repairs += check_owner(segment, chunk, memory, inspector->wiped != 0);
}

/* Told once all have been looked at, as one. */
static void tell_lanes(struct inspector *inspector)
{
    if (inspector->lane_repairs != 0 && note_damage(inspector))
        log_say(LOG_WARNING, "damage to the shared memory repaired: %u words of calls in flight and of whose they are",
                inspector->lane_repairs);
    inspector->lane_repairs = 0;
}

static void look_at_calls(struct inspector *inspector, struct lane_memory memory, uint32_t count)
{
    const struct segment *segment = &inspector->registry->segment;
    for (uint32_t i = 0; i < count && i < segment->chunk_count; i++) {
        uint32_t chunk = inspector->next_chunk++ % segment->chunk_count;
        inspector->lane_repairs += check_owner(segment, chunk, memory, inspector->wiped != 0);
        inspector->lane_repairs += check_calls(segment, chunk, memory);
        if (chunk + 1 == segment->chunk_count)
            tell_lanes(inspector);
    }
}

void inspector_turn(struct inspector *inspector)
{
    const struct segment *segment = &inspector->registry->segment;
    uint32_t factor = inspector->alert ? ALERT_FACTOR : 1;
    struct lane_memory memory = {inspector->owners, inspector->living};
    bool all = inspector->wiped == WIPED_TURNS;
    inspector->alert -= inspector->alert != 0;
    look_at_slots(inspector, all ? segment->capacity : segment->capacity / SLOT_TURNS + 1);
    if (inspector->wiped || ++inspector->turns % OWNER_TURNS == 0)
        look_at_owners(inspector, memory);
    look_at_calls(inspector, memory, all ? segment->chunk_count : CHUNKS_A_TURN * factor);
    look_at_counts(inspector, COUNTS_A_TURN * factor); /* behind the calls, which hold the places */
}

/* ---- workers ---- */

static uint64_t ticks_since_boot(void)
{
    return clock_read_ns(CLOCK_BOOTTIME) / (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK)) + 1;
}

static bool owns_chunks(const struct segment *segment, uint32_t worker)
{
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++)
        if (atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) == worker + 1)
            return true;
    return false;
}

/* The record says so before its guard goes; who leaves and comes back between our looks has both again. */
bool inspector_guarded(const struct inspector *inspector, uint32_t worker, uint64_t record)
{
    const au64 *word = &inspector->registry->segment.workers[worker].process;
    if (!(record & WORKER_GUARDED))
        return true;
    for (int look = 0; look < 2; look++)
        if (guard_held(inspector->guards, worker) || atomic_load_explicit(word, memory_order_acquire) != record)
            return true;
    return false;
}

/* Of one process there is one start, and a record with a guard has one. */
static bool same_possible(const struct inspector *inspector, uint32_t worker, uint64_t record, uint64_t known)
{
    return process_ticks(record) == process_ticks(known) && inspector_guarded(inspector, worker, record);
}

/* A worker gives its chunks back before its number. */
static bool record_possible(const struct inspector *inspector, uint32_t worker, uint64_t record)
{
    uint64_t known = inspector->living[worker];
    if (record != 0 && known != 0 && process_pid(record) == process_pid(known))
        return same_possible(inspector, worker, record, known);
    if (record != 0)
        return check_record(record, ticks_since_boot());
    return known == 0 || !(inspector->wiped || owns_chunks(&inspector->registry->segment, worker));
}

uint64_t inspector_record(struct inspector *inspector, uint32_t worker, uint64_t record)
{
    uint64_t found = record, known = inspector->living[worker];
    if (record == known || record_possible(inspector, worker, record))
        return record;
    if (!atomic_compare_exchange_strong(&inspector->registry->segment.workers[worker].process, &found, known))
        return known; /* written to again: the next turn sees by whom */
    if (known == 0)
        inspector->lane_repairs++;
    else if (note_damage(inspector))
        log_say(LOG_WARNING, "damage to the shared memory repaired: the record of worker %u (pid %u)", worker,
                process_pid(known));
    return known;
}
