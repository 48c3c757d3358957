/* One scribe, several threads that make transitions, several that read: events come whole, in order, and each once. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>

#include "core/action.h"
#include "core/clock.h"
#include "core/transition.h"

#define WORKERS 2u
#define READERS 2u
#define ROUNDS  3000u /* transitions of each worker */
#define LENGTH  256u  /* of the ring: readers are overtaken */

static struct segment segment;
static struct scribe scribe;
static struct policy policy;
static uint32_t slots[WORKERS];
static atomic_uint working = WORKERS;
static uint16_t heard[WORKERS]; /* each slot's newest epoch */
static unsigned heard_count;
static _Atomic uint64_t read_count;

static void begin(void)
{
    struct geometry geometry = {WORKERS, 1, 2, 2, 1, 512, LENGTH};
    char error[SEGMENT_ERROR_SIZE];
    cr_assert_eq(segment_private(&geometry, &segment), 0);
    policy_default(&policy);
    for (unsigned i = 0; i < WORKERS; i++)
        cr_assert_eq(panel_create(&segment, i ? "one" : "zero", &policy, 0, &slots[i], error), PANEL_CREATED);
}

/* A worker's own breaker, so that its epochs are this thread's alone; the journal and the ring are everybody's. */
static void *work(void *arg)
{
    uint32_t slot = *(uint32_t *)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint16_t epoch = gate_epoch(atomic_load(&segment_slot(&segment, slot)->gate));
        struct gate_input input = {.event = i % 2 ? GATE_RESET : GATE_TRIP, .epoch = epoch, .cause = CAUSE_STREAK};
        struct numbers numbers = {i, i, i};
        transition_apply(&segment, slot, input, &policy, &numbers, (struct actor){.pid = 1});
        if (i % 64 == 0)
            sched_yield();
    }
    atomic_fetch_sub(&working, 1);
    return NULL;
}

static void *read_on(void *unused)
{
    uint64_t seen = 0;
    while (atomic_load(&working) > 0 || seen < events_last(&segment)) {
        struct event event;
        uint64_t next = seen + 1 < events_first(&segment) ? events_first(&segment) : seen + 1;
        if (!events_read(&segment, next, &event))
            continue;
        cr_assert_eq(event.sequence, next);
        cr_assert(event.value == event.of || event.filled, "a torn event");
        cr_assert_eq(event.name[0], event.slot == slots[0] ? 'z' : 'o');
        seen = next;
        atomic_fetch_add(&read_count, 1);
    }
    return unused;
}

static void listen(const struct event *event, void *unused)
{
    (void)unused;
    if (event->cause == CAUSE_CREATED) {
        heard[event->slot] = event->epoch;
        return;
    }
    uint16_t steps = event->value > 1 && event->filled ? (uint16_t)event->value : 1;
    cr_assert_eq(event->epoch, (uint16_t)(heard[event->slot] + steps), "out of order");
    heard[event->slot] = event->epoch;
    heard_count++;
}

static bool is_all_heard(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (heard[slots[i]] != gate_epoch(atomic_load(&segment_slot(&segment, slots[i])->gate)))
            return false;
    return true;
}

/* What was overwritten before the scribe came to it, it gives up after a second. */
static void hear_the_rest(void)
{
    for (uint64_t until = segment_now_ms(&segment) + 10000; !is_all_heard() && segment_now_ms(&segment) < until;)
        scribe_turn(&scribe);
    cr_assert(is_all_heard(), "something is lost");
}

Test(threads_events, whole_in_order_and_once)
{
    pthread_t workers[WORKERS], readers[READERS];
    begin();
    cr_assert_eq(scribe_open(&scribe, &segment, listen, NULL), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, &slots[i]);
    for (unsigned i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_on, NULL);
    while (atomic_load(&working) > 0)
        scribe_turn(&scribe);
    hear_the_rest();
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    cr_assert(heard_count > 0 && read_count > 0);
    scribe_close(&scribe);
    segment_close(&segment);
}
