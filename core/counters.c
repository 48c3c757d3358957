#include "core/counters.h"

void count_rejection(struct stripe *stripe, enum breaker_answer answer)
{
    if (answer == ANSWER_REJECTED_OPEN)
        count_one(&stripe->rejected_open);
    else if (answer == ANSWER_REJECTED_PROBES)
        count_one(&stripe->rejected_probes);
    else if (answer == ANSWER_REJECTED_CONCURRENCY)
        count_one(&stripe->rejected_concurrency);
}

/* A timed success is counted where its latency is, and nowhere else. */
static void count_success(struct stripe *stripe, bool windowed, bool timed)
{
    if (!windowed)
        count_one(&stripe->other_successes);
    else if (!timed)
        count_one(&stripe->successes);
}

/* The difference of the two is what successes there were. Who dies in between leaves one too many, rather than less than
 * none: the release pairs with the acquire in stripe_successes(). */
static void count_latency(struct stripe *stripe, bool plain_success, uint64_t took_ns)
{
    count_one(&stripe->latency[latency_bucket(took_ns)]);
    if (!plain_success)
        atomic_fetch_add_explicit(&stripe->timed_otherwise, 1, memory_order_release);
}

/* The latency first: who dies behind it has not counted its outcome besides. */
void count_outcome(struct slot *slot, struct stripe *stripe, enum outcome outcome, bool windowed, bool timed,
                   uint64_t took_ns)
{
    if (timed && outcome <= OUTCOME_FAILURE)
        count_latency(stripe, windowed && outcome == OUTCOME_SUCCESS, took_ns);
    switch (outcome) {
    case OUTCOME_SUCCESS:
        count_success(stripe, windowed, timed);
        break;
    case OUTCOME_FAILURE:
        count_one(&stripe->failures);
        break;
    case OUTCOME_IGNORED:
        count_one(&stripe->ignored);
        break;
    case OUTCOME_ABANDONED:
        count_one(&slot->abandoned);
        break;
    case OUTCOME_OVERDUE:
        count_one(&slot->overdue);
        break;
    }
}

uint64_t latency_bound(unsigned bucket)
{
    if (bucket == 0)
        return UINT64_C(1) << LATENCY_FIRST_OCTAVE;
    unsigned octave = LATENCY_FIRST_OCTAVE + (bucket - 1) / 2;
    uint64_t half = UINT64_C(1) << (octave - 1);
    return (UINT64_C(1) << octave) + half * (1 + (bucket - 1) % 2);
}
