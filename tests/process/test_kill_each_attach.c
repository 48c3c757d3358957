/*
 * A process that is stopped after any instruction of attaching, creating a breaker and its first call, and killed after
 * each change that it makes to the shared memory. While it stands there, others are admitted, rejected and trip, and
 * none of their calls waits for it; once it is dead, nothing of it is left.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/call.h"
#include "core/panel.h"
#include "tests/process/guest.h"
#include "tests/process/step.h"

#define CHANGES   3       /* its worker's record, its chunk, its call */
#define SLOW_NS   1000000 /* of CPU, for all that the others do in a round */
#define TRIES     5       /* a machine may take its own time now and then, a process that waits takes it each time */
#define NUMBERS   2       /* the worker number that a pid leads to, and the next, if the test itself has that one */
#define CHUNKS    8       /* so many chunks away from those of the number before it, a number looks for its own */
#define WILL_TRIP "failure_threshold=1 open_timeout=1h"

static cb_breaker *fragile;
static uint32_t fragile_slot;
static uint64_t slowest_ns;

static void begin(void)
{
    house_open();
    cr_assert_eq(cb_get_or_create(house.registry, "fragile", WILL_TRIP, &fragile), 0, "%s", cb_last_error());
    fragile_slot = (uint32_t)panel_find(&house.segment, "fragile");
}

TestSuite(kill_each_attach, .init = begin, .fini = house_close);

/* ---- what a guest has changed ---- */

struct traces {
    uint64_t processes[NUMBERS];
    uint32_t owners[NUMBERS * CHUNKS];
    uint64_t calls[NUMBERS * CHUNKS][CHUNK_CALLS];
};

static void traces_take(struct traces *traces, pid_t guest)
{
    const struct segment *s = &house.segment;
    uint32_t worker = (uint32_t)guest % s->worker_count;
    for (uint32_t i = 0; i < NUMBERS; i++)
        traces->processes[i] = atomic_load(&s->workers[(worker + i) % s->worker_count].process);
    for (uint32_t i = 0; i < NUMBERS * CHUNKS; i++) {
        uint32_t chunk = ((worker + 1) * CHUNKS + i) % s->chunk_count;
        traces->owners[i] = atomic_load(&s->owners[chunk]);
        for (uint32_t j = 0; j < CHUNK_CALLS; j++)
            traces->calls[i][j] = atomic_load(&s->chunks[chunk].calls[j].call);
    }
}

/* Has it made another change? */
static bool traces_follow(struct traces *traces, pid_t guest)
{
    struct traces now;
    traces_take(&now, guest);
    bool same = memcmp(&now, traces, sizeof now) == 0;
    *traces = now;
    return !same;
}

/* ---- the others ---- */

static void others_go_round(unsigned step)
{
    cb_permit permit;
    cr_assert_eq(cb_acquire(fragile, &permit), CB_ADMITTED, "step %u", step);
    cr_assert_eq(cb_success(&permit), 0);
    cr_assert_eq(cb_acquire(fragile, &permit), CB_ADMITTED, "step %u", step);
    cr_assert_eq(cb_failure(&permit), 0);
    cr_assert_eq(cb_state_of(fragile), CB_OPEN, "step %u: it does not trip", step);
    cr_assert_eq(cb_acquire(fragile, &permit), CB_REJECTED_OPEN, "step %u", step);
    call_operate(&house.segment, fragile_slot, (struct gate_input){.event = GATE_RESET}, (struct actor){0});
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void others_go_on(unsigned step)
{
    uint64_t took = SLOW_NS;
    for (int i = 0; i < TRIES && took >= SLOW_NS; i++) {
        struct rusage before, after;
        getrusage(RUSAGE_THREAD, &before);
        uint64_t began = cpu_ns();
        others_go_round(step);
        took = cpu_ns() - began;
        getrusage(RUSAGE_THREAD, &after);
        cr_assert_eq(after.ru_nvcsw, before.ru_nvcsw, "step %u: a call has waited", step);
    }
    cr_assert_lt(took, SLOW_NS, "step %u: %llu ns", step, (unsigned long long)took);
    slowest_ns = took > slowest_ns ? took : slowest_ns;
}

/* ---- the guest ---- */

/* To where it has changed the memory so often. */
static void guest_reach(struct stepper *guest, unsigned changes)
{
    struct traces traces;
    traces_take(&traces, guest->pid);
    while (changes > 0) {
        cr_assert(stepper_step(guest), "it goes otherwise than before");
        changes -= traces_follow(&traces, guest->pid);
    }
}

Test(kill_each_attach, others_go_on_while_it_stands)
{
    struct stepper guest;
    struct traces traces;
    unsigned step = 0, changes = 0;
    stepper_start(&guest, NULL, guest_acts);
    others_go_on(step);
    traces_take(&traces, guest.pid);
    while (stepper_step(&guest)) {
        step++;
        if (traces_follow(&traces, guest.pid)) {
            changes++;
            house_answers(step);
        }
        others_go_on(step);
        traces_take(&traces, guest.pid);
    }
    cr_log_info("%u steps; slowest round of the others %llu ns of CPU", step, (unsigned long long)slowest_ns);
    cr_assert_eq(changes, CHANGES);
    stepper_kill(&guest);
    cr_assert_eq(guest_leaves_nothing(guest.pid, step), 1, "its call is not counted");
}

Test(kill_each_attach, nothing_is_left_of_it)
{
    for (unsigned changes = 0; changes <= CHANGES; changes++) {
        struct stepper guest;
        stepper_start(&guest, NULL, guest_acts);
        guest_reach(&guest, changes);
        others_go_on(changes);
        stepper_kill(&guest);
        cr_assert_eq(guest_leaves_nothing(guest.pid, changes), changes == CHANGES, "%u changes", changes);
    }
}
