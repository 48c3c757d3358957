#include "oracle.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/panel.h"

#define ASK_MS (CAST_STUCK_MS + 2000) /* with what the processor does for others meanwhile */

static uint64_t now_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

bool oracle_open(struct oracle *oracle)
{
    char error[SEGMENT_ERROR_SIZE];
    if (segment_open(oracle->crew->registry, false, &oracle->segment, error) == 0)
        return true;
    fprintf(stderr, "chaos: %s\n", error);
    return false;
}

void oracle_close(struct oracle *oracle)
{
    segment_close(&oracle->segment);
}

/* ---- asking, while the workers are stopped ---- */

/* Stopped workers may hold all places of a bulkhead; that is no breaker that is stuck. */
static void ask(struct oracle *oracle, unsigned part)
{
    uint64_t until = now_ms() + ASK_MS;
    int answer;
    do {
        answer = hand_call(oracle->self, part);
        if (answer == CB_ADMITTED || answer == CB_REJECTED_CONCURRENCY ||
            cb_state_of(oracle->self->breaker[part]) == CB_FORCED_OPEN)
            return;
        usleep(1000);
    } while (now_ms() < until);
    report_violation(oracle->report, "%s is stuck: with all workers stopped it answers %s for %d ms", cast[part].name,
                     cb_answer_name(answer), ASK_MS);
}

void oracle_ask(struct oracle *oracle)
{
    for (unsigned part = 0; part < CAST_LASTING; part++)
        ask(oracle, part);
}

/* ---- counts ---- */

/* What the memory has counted more than the accounts: from `least` to `most` more than at the end of the last round. */
static void compare(struct oracle *oracle, unsigned part, const char *what, int64_t ahead, int64_t *drift,
                    int64_t least, int64_t most)
{
    int64_t more = ahead - *drift;
    *drift = ahead;
    if (cast[part].uncounted ? more > most : more < least || more > most)
        report_violation(oracle->report, "%s: %s: %lld more than the accounts; %lld to %lld are explained",
                         cast[part].name, what, (long long)more, (long long)least, (long long)most);
}

static int64_t ahead_of(const struct oracle *oracle, unsigned part, enum entry entry, uint64_t counted)
{
    return (int64_t)(counted - crew_sum(oracle->crew, part, entry));
}

static void check_outcomes(struct oracle *oracle, unsigned part, const struct tally *tally)
{
    static const char *const names[] = {"successes", "failures", "ignored"};
    const uint64_t counted[] = {tally->successes, tally->failures, tally->ignored};
    const struct estate *estate = &oracle->crew->estate[part];
    for (enum entry entry = ENTRY_SUCCESS; entry <= ENTRY_IGNORED; entry++)
        compare(oracle, part, names[entry], ahead_of(oracle, part, entry, counted[entry]), &oracle->drift[part][entry],
                0, estate->settling[entry]);
}

static void check_rejections(struct oracle *oracle, unsigned part, const struct tally *tally)
{
    static const char *const names[] = {"rejected:open", "rejected:probes", "rejected:concurrency"};
    const uint64_t counted[] = {tally->rejected_open, tally->rejected_probes, tally->rejected_concurrency};
    for (unsigned i = 0; i < 3; i++)
        compare(oracle, part, names[i], ahead_of(oracle, part, (enum entry)(ENTRY_OPEN + i), counted[i]),
                &oracle->drift[part][ENTRY_OPEN + i], 0, oracle->crew->estate[part].acquiring);
}

/* A call that died with its holder is abandoned, or overdue if it was that before. A daemon that is killed may take the
 * one call with it that it was settling. */
static void check_lost(struct oracle *oracle, unsigned part, const struct tally *tally, unsigned daemon_kills)
{
    const struct estate *estate = &oracle->crew->estate[part];
    uint64_t noted = crew_sum(oracle->crew, part, ENTRY_FORGOTTEN) + crew_sum(oracle->crew, part, ENTRY_LATE);
    int64_t most = (int64_t)estate->held + estate->acquiring;
    for (unsigned entry = 0; entry < ENTRY_SETTLED; entry++)
        most += estate->settling[entry];
    most += estate->settling[ENTRY_FORGOTTEN]; /* killed after it was counted, and counted again with its holder */
    compare(oracle, part, "abandoned and overdue", (int64_t)(tally->abandoned + tally->overdue - noted),
            &oracle->drift_lost[part], (int64_t)estate->held - (int64_t)daemon_kills, most);
    if (tally->transitions < oracle->transitions[part])
        report_violation(oracle->report, "%s: %llu transitions were %llu before", cast[part].name,
                         (unsigned long long)tally->transitions, (unsigned long long)oracle->transitions[part]);
    oracle->transitions[part] = tally->transitions;
}

static void check_counts(struct oracle *oracle, unsigned part, const struct cb_health *health)
{
    struct tally tally;
    struct report *report = oracle->report;
    int64_t slot = panel_find(&oracle->segment, cast[part].name);
    if (slot < 0)
        return;
    tally_slot(&oracle->segment, (uint32_t)slot, &tally);
    check_outcomes(oracle, part, &tally);
    check_rejections(oracle, part, &tally);
    check_lost(oracle, part, &tally, report->killed[VICTIM_DAEMON] - oracle->daemon_kills);
    report->settled += tally.successes + tally.failures + tally.ignored;
    report->rejected += health->counts.rejected;
    report->abandoned += tally.abandoned;
    report->overdue += tally.overdue;
}

/* ---- what the daemon keeps ---- */

static int policy_number(unsigned part, const char *text)
{
    for (int i = 0; i < CAST_POLICIES; i++)
        if (strcmp(cast[part].policy[i], text) == 0)
            return i;
    return -1;
}

static bool is_imposed(const struct cb_health *health)
{
    return health->counts.state >= CB_FORCED_OPEN;
}

/* Whether the errand that was not answered did it, is seen now and so from now on. */
static void adopt(struct belief *belief, const struct cb_health *health, int policy)
{
    belief->doubtful = false;
    belief->policy = (unsigned)policy;
    belief->imposed = is_imposed(health) ? (enum cb_state)health->counts.state : CB_CLOSED;
    belief->least_ms = belief->most_ms =
        health->override_left_ms == UINT64_MAX || !is_imposed(health) ? 0 : now_ms() + health->override_left_ms;
    belief->least_ms -= belief->least_ms ? 10 : 0;
    belief->most_ms += belief->most_ms ? 10 : 0;
}

static void check_override(struct oracle *oracle, unsigned part, const struct cb_health *health, uint64_t asked_ms)
{
    const struct belief *belief = &oracle->desk->belief[part];
    bool must = belief->imposed && (belief->least_ms == 0 || belief->least_ms > now_ms());
    bool may = belief->imposed && (belief->most_ms == 0 || belief->most_ms >= asked_ms);
    if ((must && health->counts.state != belief->imposed) || (!may && is_imposed(health)))
        report_violation(oracle->report, "%s is %s, but the operator was told that it is %s", cast[part].name,
                         cb_state_name((enum cb_state)health->counts.state),
                         must ? cb_state_name(belief->imposed) : "under no override");
}

static void check_panel(struct oracle *oracle, unsigned part, struct cb_health *health)
{
    struct belief *belief = &oracle->desk->belief[part];
    uint64_t asked_ms = now_ms();
    int code = cb_health_of(oracle->self->breaker[part], health, sizeof *health);
    int policy = code ? -1 : policy_number(part, health->policy);
    if (code || !health->shared || strcmp(health->name, cast[part].name) != 0 || policy < 0) {
        report_violation(oracle->report, "%s: %s; name %s, policy \"%s\"", cast[part].name, cb_strerror(code),
                         health->name, health->policy);
        return;
    }
    if (belief->doubtful)
        adopt(belief, health, policy);
    if ((unsigned)policy != belief->policy)
        report_violation(oracle->report, "%s has the policy \"%s\", but the operator was told that it has \"%s\"",
                         health->name, health->policy, cast[part].policy[belief->policy]);
    check_override(oracle, part, health, asked_ms);
}

static void check_gate(struct oracle *oracle, unsigned part)
{
    int64_t slot = panel_find(&oracle->segment, cast[part].name);
    if (slot < 0) {
        report_violation(oracle->report, "%s is gone", cast[part].name);
        return;
    }
    uint64_t word = atomic_load(&segment_slot(&oracle->segment, (uint32_t)slot)->gate);
    uint64_t wait = cb_retry_after_ms(oracle->self->breaker[part]);
    if (gate_state(word) > STATE_METRICS_ONLY || (gate_state(word) < STATE_FORCED_OPEN && wait > CAST_STUCK_MS))
        report_violation(oracle->report, "%s: gate %016llx, next probe in %llu ms", cast[part].name,
                         (unsigned long long)word, (unsigned long long)wait);
}

void oracle_check(struct oracle *oracle)
{
    struct report *report = oracle->report;
    report->settled = report->rejected = report->abandoned = report->overdue = 0;
    if (atomic_load(&oracle->segment.panel->retired))
        report_violation(report, "the registry was replaced");
    uint32_t damage = atomic_load(&oracle->segment.panel->damage_count);
    if (damage != 0)
        report_violation(report, "%u times the daemon has found damage, and nobody has damaged anything", damage);
    for (unsigned part = 0; part < CAST_LASTING; part++) {
        struct cb_health health = {0};
        check_gate(oracle, part);
        check_panel(oracle, part, &health);
        check_counts(oracle, part, &health);
    }
    for (unsigned part = CAST_LASTING; part < CAST_SIZE; part++)
        oracle->desk->belief[part].doubtful = false;
    memset(oracle->crew->estate, 0, sizeof oracle->crew->estate);
    oracle->daemon_kills = report->killed[VICTIM_DAEMON];
}
