/* Adding up what the stripes and lanes hold. */
#include <string.h>

#include "core/call.h"
#include "core/clock.h"
#include "core/control.h"
#include "core/counters.h"
#include "core/panel.h"
#include "core/settle.h"
#include "core/transition.h"
#include "core/window.h"

static uint64_t load(const au64 *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void add_stripe(struct tally *out, const struct stripe *stripe)
{
    out->successes += stripe_successes(stripe) + load(&stripe->other_successes);
    out->failures += load(&stripe->failures);
    out->slow += load(&stripe->slow);
    out->ignored += load(&stripe->ignored);
    out->rejected_open += load(&stripe->rejected_open);
    out->rejected_probes += load(&stripe->rejected_probes);
    out->rejected_concurrency += load(&stripe->rejected_concurrency);
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        out->latency[i] += load(&stripe->latency[i]);
}

static void add_window(struct tally *out, const struct segment *segment, uint32_t slot, uint16_t epoch)
{
    struct policy_view view;
    if (!panel_policy(segment, slot, &view) || view.policy.window == WINDOW_NONE)
        return;
    struct window window = {(enum window_kind)view.policy.window, view.policy.window_size, view.window_id};
    struct window_sum sum = window_sum(segment, slot, window, epoch, segment_now_ms(segment));
    out->window_calls = sum.calls;
    out->window_failures = sum.failures;
    out->window_slow = sum.slow;
}

/* Much less than what was told: the counts were damaged and have begun anew. */
static uint64_t successes_steady(const struct control *control, uint64_t sum)
{
    uint64_t told = load(&control->told);
    return told - sum < COUNTS_UNSETTLED ? told : sum;
}

void tally_tell(struct segment *segment, uint32_t slot, const struct tally *tally)
{
    atomic_store_explicit(&control_of(segment, slot)->told, tally->successes, memory_order_relaxed);
}

void tally_slot(const struct segment *segment, uint32_t slot, struct tally *out)
{
    const struct slot *shared = segment_slot(segment, slot);
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < segment->stripes; i++)
        add_stripe(out, segment_stripe(segment, slot, i));
    out->successes = successes_steady(&segment->controls[slot], out->successes);
    out->abandoned = load(&shared->abandoned);
    out->overdue = load(&shared->overdue);
    out->transitions = transition_count(shared);
    out->state = call_state(segment, slot);
    out->retry_after_ms = call_retry_after_ms(segment, slot);
    uint16_t epoch = gate_epoch(load(&shared->gate));
    uint64_t streak = load(&shared->streak);
    out->streak = streak >> 48 == epoch ? streak & STREAK_MASK : 0;
    add_window(out, segment, slot, epoch);
}

uint64_t tally_latency_us(const struct tally *tally, unsigned percent)
{
    uint64_t count = 0, seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        count += tally->latency[i];
    for (unsigned i = 0; i < LATENCY_BUCKETS && count; i++) {
        seen += tally->latency[i];
        if (seen >= (count * percent + 99) / 100)
            return latency_bound(i) / 1000;
    }
    return 0;
}

/* Every busy entry of an owned chunk, once. */
static void tally_chunk(const struct segment *segment, uint32_t chunk, uint32_t worker, uint32_t *by_slot,
                        uint32_t *by_worker)
{
    for (uint32_t i = 0; i < CHUNK_CALLS; i++) {
        uint64_t word = load(&segment->chunks[chunk].calls[i].call);
        if (!(word & CALL_BUSY) || (word & 0xffff) >= segment->capacity)
            continue;
        if (by_slot)
            by_slot[word & 0xffff]++;
        if (by_worker)
            by_worker[worker]++;
    }
}

void tally_in_flight(const struct segment *segment, uint32_t *by_slot, uint32_t *by_worker)
{
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++) {
        uint32_t owner = atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed);
        if (owner != 0 && owner <= segment->worker_count)
            tally_chunk(segment, chunk, owner - 1, by_slot, by_worker);
    }
}

uint64_t tally_in_flight_of(const struct segment *segment, uint32_t slot)
{
    uint64_t count = 0;
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++) {
        if (atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) == 0)
            continue;
        for (uint32_t i = 0; i < CHUNK_CALLS; i++) {
            uint64_t word = load(&segment->chunks[chunk].calls[i].call);
            count += (word & CALL_BUSY) && (word & 0xffff) == slot;
        }
    }
    return count;
}
