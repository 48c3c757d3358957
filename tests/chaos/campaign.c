#include "campaign.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "annals.h"
#include "core/clock.h"
#include "oracle.h"
#include "remains.h"

#define ROUND_MS  2000
#define PACE_US   15000 /* between deeds, on average */
#define TOOL_US   4000  /* at most, until a tool is killed */
#define STOP_MS   300   /* at most */
#define REST_MS   20000 /* until all rest, with sanitizers on a busy machine */
#define REMAIN_MS 5000  /* until all calls of the dead are settled */

struct campaign {
    const struct plan *plan;
    struct report *report;
    struct dice dice;
    struct keeper keeper;
    struct hand self;
    struct crew crew;
    struct desk desk;
    struct oracle oracle;
    struct annals annals;
    uint32_t pauses;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static uint64_t now_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

/* ---- deeds ---- */

static uint64_t stop_until(struct campaign *c)
{
    return now_ms() + 1 + dice_roll(&c->dice, STOP_MS);
}

static void worker_kill(struct campaign *c)
{
    crew_kill(&c->crew, dice_roll(&c->dice, WORKERS));
    c->report->killed[VICTIM_WORKER]++;
    c->report->struck = c->crew.struck;
}

static void worker_stop(struct campaign *c)
{
    unsigned number = dice_roll(&c->dice, WORKERS);
    if (c->crew.member[number].continue_ms)
        return;
    crew_stop(&c->crew, number, stop_until(c));
    c->report->stopped[VICTIM_WORKER]++;
}

static void daemon_kill(struct campaign *c)
{
    keeper_kill(&c->keeper);
    c->report->killed[VICTIM_DAEMON]++;
}

static void daemon_stop(struct campaign *c)
{
    if (c->keeper.continue_ms)
        return;
    keeper_stop(&c->keeper, stop_until(c));
    c->report->stopped[VICTIM_DAEMON]++;
}

/* They live for some milliseconds only. */
static void tool_kill(struct campaign *c)
{
    if (!desk_busy(&c->desk)) {
        desk_send(&c->desk);
        usleep(dice_roll(&c->dice, TOOL_US));
    }
    c->report->killed[VICTIM_TOOL] += desk_kill(&c->desk);
}

static void tool_stop(struct campaign *c)
{
    c->report->stopped[VICTIM_TOOL] += desk_stop(&c->desk, stop_until(c));
}

static void tool_send(struct campaign *c)
{
    desk_send(&c->desk);
}

static const struct {
    unsigned percent;
    void (*run)(struct campaign *);
} deeds[] = {
    {56, worker_kill}, {8, worker_stop}, {7, daemon_kill}, {3, daemon_stop},
    {18, tool_send},   {5, tool_kill},   {3, tool_stop},
};

static void deed_do(struct campaign *c)
{
    unsigned draw = dice_roll(&c->dice, 100), i = 0;
    while (draw >= deeds[i].percent)
        draw -= deeds[i++].percent;
    deeds[i].run(c);
}

/* ---- what happens by itself ---- */

static void continue_due(struct campaign *c, uint64_t now)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (c->crew.member[i].continue_ms && c->crew.member[i].continue_ms <= now)
            crew_continue(&c->crew, i);
    if (c->keeper.continue_ms && c->keeper.continue_ms <= now)
        keeper_continue(&c->keeper);
    desk_continue(&c->desk, now);
}

static void watch(struct campaign *c)
{
    int status, lost = crew_lost(&c->crew, &status);
    const char *wrong = keeper_listen(&c->keeper);
    if (lost >= 0)
        report_violation(c->report, "worker %d ended by itself, with status %#x", lost, (unsigned)status);
    if (wrong)
        report_violation(c->report, "registryd: %s", wrong);
    desk_receive(&c->desk);
    annals_read(&c->annals);
    report_progress(c->report, c->plan->seconds);
}

/* ---- a round ---- */

static bool is_over(const struct campaign *c)
{
    return interrupted || c->report->violations || now_ms() - c->report->began_ms >= c->plan->seconds * 1000u ||
           (c->plan->kills && report_kills(c->report) >= c->plan->kills);
}

static void rage(struct campaign *c)
{
    uint64_t until = now_ms() + ROUND_MS / 2 + dice_roll(&c->dice, ROUND_MS);
    atomic_store(&c->crew.ledger->weather, dice_roll(&c->dice, 1u << CAST_SIZE));
    while (now_ms() < until && !is_over(c)) {
        usleep(dice_roll(&c->dice, 2 * PACE_US));
        deed_do(c);
        continue_due(c, now_ms());
        watch(c);
    }
}

/* All stop wherever they are, as if for ever; then the breakers are asked. */
static void freeze(struct campaign *c)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (c->crew.member[i].pid)
            crew_stop(&c->crew, i, UINT64_MAX);
    oracle_ask(&c->oracle);
}

static int still_busy(const struct campaign *c)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (c->crew.member[i].pid && atomic_load(&c->crew.ledger->account[i].resting) != c->pauses)
            return (int)i;
    return -1;
}

static void wait_for_rest(struct campaign *c)
{
    uint64_t until = now_ms() + REST_MS;
    while (still_busy(c) >= 0 || desk_busy(&c->desk) || !c->keeper.ready) {
        if (c->report->violations)
            return;
        if (now_ms() > until) {
            report_violation(c->report, "worker %d, cbctl (%d) or registryd (%d) does not come to rest", still_busy(c),
                             desk_busy(&c->desk), c->keeper.ready);
            return;
        }
        usleep(500);
        watch(c);
    }
}

static void wait_for_burial(struct campaign *c)
{
    char what[160];
    uint64_t until = now_ms() + REMAIN_MS;
    while ((remains_found(&c->oracle.segment, &c->crew, what) || annals_are_behind(&c->annals, what)) &&
           now_ms() <= until)
        usleep(1000);
    if (remains_found(&c->oracle.segment, &c->crew, what) || annals_are_behind(&c->annals, what))
        report_violation(c->report, "after %d ms: %s", REMAIN_MS, what);
}

static void hear_complaints(struct campaign *c)
{
    if (*c->crew.complaint)
        report_violation(c->report, "worker: %s", c->crew.complaint);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const struct account *account = &c->crew.ledger->account[i];
        uint64_t longest = atomic_load(&account->longest_ns);
        if (atomic_load(&account->complained))
            report_violation(c->report, "worker %u: %s", i, account->complaint);
        if (longest > c->report->longest_ns)
            c->report->longest_ns = longest;
    }
}

static void look(struct campaign *c)
{
    freeze(c);
    atomic_store(&c->crew.ledger->pause, ++c->pauses);
    continue_due(c, UINT64_MAX);
    wait_for_rest(c);
    if (!c->report->violations)
        wait_for_burial(c);
    if (!c->report->violations)
        oracle_check(&c->oracle);
    hear_complaints(c);
    for (unsigned part = 0; part < CAST_SIZE; part++)
        atomic_store(&c->crew.ledger->inside[part], 0);
    atomic_store(&c->crew.ledger->pause, 0);
}

/* ---- from first to last ---- */

static bool begin(struct campaign *c)
{
    c->crew.ledger = ledger_create();
    if (!c->crew.ledger || !keeper_open(&c->keeper, c->plan->registryd))
        return false;
    c->self.ledger = c->crew.ledger;
    c->self.account = &c->crew.ledger->account[WORKERS];
    int code = cb_attach(c->keeper.registry, &c->self.registry);
    for (unsigned part = 0; part < CAST_SIZE && code == 0; part++)
        code = cb_get_or_create(c->self.registry, cast[part].name, cast[part].policy[0], &c->self.breaker[part]);
    if (code)
        fprintf(stderr, "chaos: %s; %s\n", cb_strerror(code), cb_last_error());
    return code == 0 && oracle_open(&c->oracle);
}

static void end(struct campaign *c)
{
    desk_end(&c->desk);
    crew_end(&c->crew);
    oracle_close(&c->oracle);
    cb_detach(&c->self.registry);
    progress_clear(&c->report->progress);
    if (c->report->violations)
        keeper_print_log(&c->keeper);
    if (!keeper_close(&c->keeper))
        report_violation(c->report, "registryd did not end well");
    ledger_destroy(c->crew.ledger);
}

bool campaign_run(const struct plan *plan, struct report *report)
{
    static struct campaign c;
    c = (struct campaign){.plan = plan, .report = report, .dice = dice_seeded(plan->seed)};
    c.crew = (struct crew){.registry = c.keeper.registry, .master = &c.self, .seed = plan->seed};
    c.desk = (struct desk){.program = plan->cbctl, .keeper = &c.keeper, .report = report, .dice = &c.dice};
    c.oracle = (struct oracle){.report = report, .crew = &c.crew, .desk = &c.desk, .self = &c.self};
    c.annals = (struct annals){.report = report, .segment = &c.oracle.segment, .next = 1};
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    bool begun = begin(&c);
    report->began_ms = now_ms();
    progress_begin(&report->progress);
    for (unsigned i = 0; i < WORKERS && begun; i++)
        crew_start(&c.crew, i);
    while (begun && !is_over(&c)) {
        report->rounds++;
        rage(&c);
        look(&c);
    }
    end(&c);
    return begun;
}
