#include "campaign.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "deeds.h"
#include "remains.h"

#define ROUND_MS  2000
#define PACE_US   15000 /* between deeds, on average */
#define REST_MS   20000 /* until all rest, with sanitizers on a busy machine */
#define REMAIN_MS 5000  /* until all calls of the dead are settled */

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

/* ---- what happens by itself ---- */

static void watch(struct stage *stage)
{
    int status, lost = crew_lost(&stage->crew, &status);
    const char *wrong = keeper_listen(&stage->keeper);
    if (lost >= 0)
        report_violation(stage->report, "worker %d ended by itself, with status %#x", lost, (unsigned)status);
    if (wrong)
        report_violation(stage->report, "registryd: %s", wrong);
    desk_receive(&stage->desk);
    annals_read(&stage->annals);
    report_progress(stage->report, stage->plan->seconds);
}

/* ---- a round ---- */

static bool is_over(const struct stage *stage)
{
    return interrupted || stage->report->violations ||
           now_ms() - stage->report->began_ms >= stage->plan->seconds * 1000u ||
           (stage->plan->kills && report_kills(stage->report) >= stage->plan->kills);
}

static void rage(struct stage *stage)
{
    uint64_t until = now_ms() + ROUND_MS / 2 + dice_roll(&stage->dice, ROUND_MS);
    atomic_store(&stage->crew.ledger->weather, dice_roll(&stage->dice, 1u << CAST_SIZE));
    while (now_ms() < until && !is_over(stage)) {
        usleep(dice_roll(&stage->dice, 2 * PACE_US));
        deeds_do_one(stage);
        deeds_undo(stage, now_ms());
        watch(stage);
    }
}

/* All stop wherever they are, as if for ever; then the breakers are asked. */
static void freeze(struct stage *stage)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (stage->crew.member[i].pid)
            crew_stop(&stage->crew, i, UINT64_MAX);
    oracle_ask(&stage->oracle);
}

static int still_busy(const struct stage *stage)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (stage->crew.member[i].pid && atomic_load(&stage->crew.ledger->account[i].resting) != stage->pauses)
            return (int)i;
    return -1;
}

static void wait_for_rest(struct stage *stage)
{
    uint64_t until = now_ms() + REST_MS;
    while (still_busy(stage) >= 0 || desk_busy(&stage->desk) || !stage->keeper.ready) {
        if (stage->report->violations)
            return;
        if (now_ms() > until) {
            report_violation(stage->report, "worker %d, cbctl (%d) or registryd (%d) does not come to rest",
                             still_busy(stage), desk_busy(&stage->desk), stage->keeper.ready);
            return;
        }
        usleep(500);
        watch(stage);
    }
}

static void wait_for_burial(struct stage *stage)
{
    char what[160];
    uint64_t until = now_ms() + REMAIN_MS;
    while ((remains_found(&stage->oracle.segment, &stage->crew, what) || annals_are_behind(&stage->annals, what)) &&
           now_ms() <= until)
        usleep(1000);
    if (remains_found(&stage->oracle.segment, &stage->crew, what) || annals_are_behind(&stage->annals, what))
        report_violation(stage->report, "after %d ms: %s", REMAIN_MS, what);
}

static void hear_complaints(struct stage *stage)
{
    if (*stage->crew.complaint)
        report_violation(stage->report, "worker: %s", stage->crew.complaint);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const struct account *account = &stage->crew.ledger->account[i];
        uint64_t longest = atomic_load(&account->longest_ns);
        if (atomic_load(&account->complained))
            report_violation(stage->report, "worker %u: %s", i, account->complaint);
        if (longest > stage->report->longest_ns)
            stage->report->longest_ns = longest;
    }
}

static void look(struct stage *stage)
{
    freeze(stage);
    atomic_store(&stage->crew.ledger->pause, ++stage->pauses);
    deeds_undo(stage, UINT64_MAX);
    wait_for_rest(stage);
    if (!stage->report->violations)
        wait_for_burial(stage);
    if (!stage->report->violations)
        oracle_check(&stage->oracle);
    hear_complaints(stage);
    for (unsigned part = 0; part < CAST_SIZE; part++)
        atomic_store(&stage->crew.ledger->inside[part], 0);
    atomic_store(&stage->crew.ledger->pause, 0);
}

/* ---- from first to last ---- */

static bool begin(struct stage *stage)
{
    stage->crew.ledger = ledger_create();
    if (!stage->crew.ledger || !keeper_open(&stage->keeper, stage->plan->registryd))
        return false;
    stage->self.ledger = stage->crew.ledger;
    stage->self.account = &stage->crew.ledger->account[WORKERS];
    int code = cb_attach(stage->keeper.registry, &stage->self.registry);
    for (unsigned part = 0; part < CAST_SIZE && code == 0; part++)
        code =
            cb_get_or_create(stage->self.registry, cast[part].name, cast[part].policy[0], &stage->self.breaker[part]);
    if (code)
        fprintf(stderr, "chaos: %s; %s\n", cb_strerror(code), cb_last_error());
    return code == 0 && oracle_open(&stage->oracle);
}

static void end(struct stage *stage)
{
    desk_end(&stage->desk);
    crew_end(&stage->crew);
    oracle_close(&stage->oracle);
    cb_detach(&stage->self.registry);
    progress_clear(&stage->report->progress);
    if (stage->report->violations)
        keeper_print_log(&stage->keeper);
    if (!keeper_close(&stage->keeper))
        report_violation(stage->report, "registryd did not end well");
    ledger_destroy(stage->crew.ledger);
}

bool campaign_run(const struct plan *plan, struct report *report)
{
    static struct stage stage;
    stage = (struct stage){.plan = plan, .report = report, .dice = dice_seeded(plan->seed)};
    stage.crew = (struct crew){.registry = stage.keeper.registry, .master = &stage.self, .seed = plan->seed};
    stage.desk = (struct desk){.program = plan->cbctl, .keeper = &stage.keeper, .report = report, .dice = &stage.dice};
    stage.oracle = (struct oracle){.report = report, .crew = &stage.crew, .desk = &stage.desk, .self = &stage.self};
    stage.annals = (struct annals){.report = report, .segment = &stage.oracle.segment, .next = 1};
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    bool begun = begin(&stage);
    report->began_ms = now_ms();
    progress_begin(&report->progress);
    for (unsigned i = 0; i < WORKERS && begun; i++)
        crew_start(&stage.crew, i);
    while (begun && !is_over(&stage)) {
        report->rounds++;
        rage(&stage);
        look(&stage);
    }
    end(&stage);
    return begun;
}
