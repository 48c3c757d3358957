#include "hand.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define BURST 1024

/* What a worker had used when its burst began: by that it is known whether it slept or span in the library. */
struct effort {
    uint64_t cpu_ns;
    long slept;
    uint32_t stops;
};

static struct effort effort_now(const struct hand *hand)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct effort){clock_read_ns(CLOCK_PROCESS_CPUTIME_ID), usage.ru_nvcsw, atomic_load(&hand->account->stops)};
}

/* ---- one library call ---- */

static void note_length(struct hand *hand, const struct effort *effort, unsigned part, uint64_t began)
{
    struct account *account = hand->account;
    uint64_t took = clock_read_ns(CLOCK_MONOTONIC_COARSE) - began;
    uint64_t most = (cast_lasts(part) ? LONGEST_MS : JOIN_MS) * UINT64_C(1000000);
    if (took <= atomic_load(&account->longest_ns))
        return;
    struct effort now = effort_now(hand);
    if (now.stops != effort->stops)
        return;
    if (cast_lasts(part))
        atomic_store(&account->longest_ns, took);
    if (took > most && now.slept != effort->slept)
        account_complain(account, "a call on %s waited for %llu ms", cast[part].name,
                         (unsigned long long)took / 1000000);
}

static void look_inside(struct hand *hand, unsigned part, bool settled, uint32_t deaths)
{
    uint32_t now;
    int inside = atomic_load(&hand->ledger->inside[part]);
    if (cast[part].most && inside > (int)cast[part].most && settled && ledger_settled(hand->ledger, &now) &&
        now == deaths)
        account_complain(hand->account, "%d calls inside %s, which admits %u", inside, cast[part].name,
                         cast[part].most);
}

static int acquire(struct hand *hand, const struct effort *effort, unsigned at, unsigned part)
{
    uint32_t deaths;
    bool settled = ledger_settled(hand->ledger, &deaths);
    account_begin(hand->account, (struct deed){.kind = DEED_ACQUIRE, .part = part});
    uint64_t began = clock_read_ns(CLOCK_MONOTONIC_COARSE);
    int answer = cb_acquire(hand->breaker[part], &hand->permit[at]);
    note_length(hand, effort, part, began);
    if (answer == CB_ADMITTED) {
        ledger_enter(hand->ledger, hand->account, at, part);
        look_inside(hand, part, settled, deaths);
    } else if (answer >= CB_REJECTED_OPEN && answer <= CB_REJECTED_CONCURRENCY) {
        account_count(hand->account, part, (enum entry)(ENTRY_OPEN + answer - CB_REJECTED_OPEN));
    } else {
        account_complain(hand->account, "cb_acquire() of %s: %d", cast[part].name, answer);
    }
    account_end(hand->account);
    return answer;
}

static int settle_as(cb_permit *permit, enum entry entry)
{
    switch (entry) {
    case ENTRY_SUCCESS:
        return cb_success(permit);
    case ENTRY_FAILURE:
        return cb_failure(permit);
    case ENTRY_IGNORED:
        return cb_ignore(permit);
    default:
        return cb_settle(permit, CB_ABANDONED, 0);
    }
}

static void settle(struct hand *hand, const struct effort *effort, unsigned at, enum entry entry)
{
    unsigned part = atomic_load(&hand->account->held[at]) - 1;
    account_begin(hand->account, (struct deed){DEED_SETTLE, entry, part});
    ledger_leave(hand->ledger, hand->account, at);
    uint64_t began = clock_read_ns(CLOCK_MONOTONIC_COARSE);
    int code = settle_as(&hand->permit[at], entry);
    note_length(hand, effort, part, began);
    if (code == 0 || code == CB_EOVERDUE)
        account_count(hand->account, part, code ? ENTRY_LATE : entry);
    else
        account_complain(hand->account, "settling a call of %s: %s", cast[part].name, cb_strerror(code));
    account_end(hand->account);
}

int hand_call(struct hand *hand, unsigned part)
{
    struct effort effort = effort_now(hand);
    int answer = acquire(hand, &effort, 0, part);
    if (answer == CB_ADMITTED)
        settle(hand, &effort, 0, ENTRY_SUCCESS);
    return answer;
}

/* ---- a life ---- */

static enum entry draw_outcome(struct hand *hand, unsigned part)
{
    bool foul = atomic_load(&hand->ledger->weather) >> part & 1;
    if (dice_percent(&hand->dice, foul ? 60 : 3))
        return ENTRY_FAILURE;
    unsigned draw = dice_roll(&hand->dice, 100);
    return draw < 3 ? ENTRY_IGNORED : draw < 5 ? ENTRY_FORGOTTEN : ENTRY_SUCCESS;
}

static unsigned draw_part(struct hand *hand)
{
    if (dice_percent(&hand->dice, 97))
        return dice_roll(&hand->dice, CAST_LASTING);
    return CAST_LASTING + dice_roll(&hand->dice, CAST_SIZE - CAST_LASTING);
}

/* Probes take their time: so there are some under way whenever workers are stopped or killed. */
static bool linger(struct hand *hand, unsigned part)
{
    bool lingers = cb_state_of(hand->breaker[part]) == CB_HALF_OPEN && dice_percent(&hand->dice, 10);
    if (lingers)
        usleep(dice_roll(&hand->dice, CAST_STUCK_MS * 1000 / 2));
    return lingers;
}

/* Neither that nor the talk with the daemon about a breaker that was removed is a wait for others. */
static void call(struct hand *hand, struct effort *effort, unsigned at, unsigned part)
{
    bool admitted = acquire(hand, effort, at, part) == CB_ADMITTED;
    if ((admitted && linger(hand, part)) || !cast_lasts(part))
        *effort = effort_now(hand);
}

static void act(struct hand *hand, struct effort *effort)
{
    unsigned at = dice_roll(&hand->dice, HELD_MAX), part = draw_part(hand);
    uint32_t held = atomic_load(&hand->account->held[at]);
    if (held)
        settle(hand, effort, at, draw_outcome(hand, held - 1));
    else if (hand->breaker[part])
        call(hand, effort, at, part);
}

static void burst(struct hand *hand)
{
    struct effort before = effort_now(hand);
    struct effort effort = before;
    for (int i = 0; i < BURST && !atomic_load(&hand->ledger->pause); i++)
        act(hand, &effort);
    uint64_t spent = effort_now(hand).cpu_ns - before.cpu_ns;
    if (spent > BURST_CPU_MS * UINT64_C(1000000))
        account_complain(hand->account, "%d calls computed for %llu ms", BURST, (unsigned long long)spent / 1000000);
}

static void rest(struct hand *hand, uint32_t pause)
{
    struct effort effort = effort_now(hand);
    for (unsigned at = 0; at < HELD_MAX; at++)
        if (atomic_load(&hand->account->held[at]))
            settle(hand, &effort, at, ENTRY_SUCCESS);
    atomic_store(&hand->account->resting, pause);
    while (atomic_load(&hand->ledger->pause) == pause)
        usleep(500);
}

/* Now and then a worker is away with what it holds: long enough to be overdue, and for others to get the processor. */
static void nap(struct hand *hand)
{
    unsigned draw = dice_roll(&hand->dice, 1000);
    if (draw == 0)
        usleep(60000);
    else if (draw < 30)
        usleep(dice_roll(&hand->dice, 1000));
}

_Noreturn void hand_live(struct hand *hand)
{
    for (;;) {
        uint32_t pause = atomic_load(&hand->ledger->pause);
        if (pause)
            rest(hand, pause);
        burst(hand);
        nap(hand);
    }
}

static bool find(struct hand *hand, unsigned part)
{
    cb_breaker **out = &hand->breaker[part];
    int code = cast_lasts(part) ? cb_get(hand->registry, cast[part].name, out)
                                : cb_get_or_create(hand->registry, cast[part].name, cast[part].policy[0], out);
    if (code == 0 || !cast_lasts(part))
        return true;
    account_complain(hand->account, "%s cannot be had: %s", cast[part].name, cb_last_error());
    return false;
}

bool hand_attach(struct hand *hand, const char *registry)
{
    int code = cb_attach(registry, &hand->registry);
    if (code < 0)
        account_complain(hand->account, "cb_attach(): %s", cb_last_error());
    for (unsigned part = 0; code == 0 && part < CAST_SIZE; part++)
        if (!find(hand, part))
            code = -1;
    return code == 0;
}
