#include "tests/process/peer.h"

#include <criterion/criterion.h>
#include <sys/resource.h>
#include <time.h>

#include "core/panel.h"
#include "tests/process/scene.h"

#define HANG_NS 50000000u /* of CPU: no call needs a thousandth of it */

struct peer peer;

uint64_t peer_gate(void)
{
    return atomic_load(&segment_slot(&scene.segment, PEER_SLOT)->gate);
}

enum breaker_answer lane_asks(struct lane *lane, uint32_t slot, struct held *held)
{
    return call_acquire(&scene.segment, lane, slot, panel_commit(&scene.segment, slot), held);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void peer_timed(uint64_t began)
{
    uint64_t took = cpu_ns() - began;
    if (took > peer.slowest_ns)
        peer.slowest_ns = took;
}

enum breaker_answer peer_asks(struct held *held)
{
    uint64_t began = cpu_ns();
    enum breaker_answer answer = lane_asks(peer.lane, PEER_SLOT, held);
    peer_timed(began);
    return answer;
}

void peer_settles(struct held held, enum outcome outcome)
{
    uint64_t began = cpu_ns();
    cr_assert_eq(call_settle(&scene.segment, peer.lane, &held, outcome, TOOK_MEASURED), CALL_SETTLED);
    peer_timed(began);
    peer.settled++;
}

enum breaker_answer peer_calls(enum outcome outcome)
{
    struct held held;
    enum breaker_answer answer = peer_asks(&held);
    if (answer == ANSWER_ADMITTED)
        peer_settles(held, outcome);
    return answer;
}

/* Call until it is closed, waiting as long as the breaker says, as the daemon ticks. */
void peer_recovers(void)
{
    for (int i = 0; i < 20; i++) {
        bool admitted = peer_calls(OUTCOME_SUCCESS) == ANSWER_ADMITTED;
        if (admitted && gate_state(peer_gate()) == STATE_CLOSED)
            return;
        uint64_t wait = call_retry_after_ms(&scene.segment, PEER_SLOT);
        cr_assert_leq(wait, LEASE_MS, "the breaker is stuck");
        *scene.now_ms += admitted ? 0 : wait ? wait : LEASE_MS;
        call_lapse(&scene.segment);
    }
    cr_assert_fail("the breaker does not close: %#llx", (unsigned long long)peer_gate());
}

void peer_trips(void)
{
    for (int i = 0; i < 8 && gate_state(peer_gate()) == STATE_CLOSED; i++)
        cr_assert_eq(peer_calls(OUTCOME_FAILURE), ANSWER_ADMITTED);
    cr_assert_eq(gate_state(peer_gate()), STATE_OPEN, "it cannot be tripped");
    cr_assert_eq(peer_calls(OUTCOME_SUCCESS), ANSWER_REJECTED_OPEN);
}

void peer_goes_round(void)
{
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    for (unsigned i = 0; i < peer.kept_count; i++)
        peer_settles(peer.kept[i], OUTCOME_IGNORED);
    peer_recovers();
    peer_trips();
    peer_recovers();
    getrusage(RUSAGE_THREAD, &after);
    cr_assert_eq(after.ru_nvcsw, before.ru_nvcsw, "a call has waited");
    cr_assert_lt(peer.slowest_ns, HANG_NS, "a call took %llu ns", (unsigned long long)peer.slowest_ns);
}
