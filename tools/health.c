#include "health.h"

#include <inttypes.h>

#include "duration.h"
#include "event.h"
#include "latency.h"
#include "table.h"

void label_write(FILE *out, const char *name)
{
    fprintf(out, "  %-10s ", name);
}

static void head_write(FILE *out, const struct cb_health *health, const char *colour)
{
    int state = (int)health->counts.state;
    char text[DURATION_TEXT];
    fprintf(out, "%s  %s%s%s", health->name, colour, cb_state_name((enum cb_state)state), *colour ? COLOUR_END : "");
    if (state == CB_OPEN)
        fprintf(out, "  next probe in %s", duration_text(health->retry_after_ms, text));
    putc('\n', out);
    label_write(out, "policy");
    fprintf(out, "%s\n", *health->policy ? health->policy : "all defaults");
}

static void override_write(FILE *out, const struct cb_health *health)
{
    if (!health->override_left_ms)
        return;
    char user[EVENT_TEXT], left[DURATION_TEXT];
    label_write(out, "override");
    fprintf(out, "by %s (pid %" PRIu32 "), ", user_name(health->override_uid, user), health->override_pid);
    if (health->override_left_ms == UINT64_MAX)
        fprintf(out, "until `cbctl auto`");
    else
        fprintf(out, "for another %s", duration_text(health->override_left_ms, left));
    if (*health->override_reason)
        fprintf(out, ": %s", health->override_reason);
    putc('\n', out);
}

static void counts_write(FILE *out, const struct cb_snapshot *counts)
{
    label_write(out, "in flight");
    fprintf(out, "%" PRIu64 "\n", counts->in_flight);
    label_write(out, "outcomes");
    fprintf(out, "%" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64 " ignored", counts->successes, counts->failures,
            counts->ignored);
    fprintf(out, ", %" PRIu64 " abandoned, %" PRIu64 " overdue; %" PRIu64 " slow\n", counts->abandoned, counts->overdue,
            counts->slow);
    label_write(out, "rejected");
    fprintf(out, "%" PRIu64, counts->rejected);
    if (counts->rejected)
        fprintf(out, " (%" PRIu64 " open, %" PRIu64 " probes, %" PRIu64 " concurrency)", counts->rejected_open,
                counts->rejected_probes, counts->rejected_concurrency);
    putc('\n', out);
}

static void rates_write(FILE *out, const struct cb_health *health)
{
    if (health->streak) {
        label_write(out, "streak");
        fprintf(out, "%" PRIu64 " %s in a row\n", health->streak, health->streak == 1 ? "failure" : "failures");
    }
    if (health->window_calls) {
        label_write(out, "window");
        fprintf(out, "%" PRIu64 " calls: %.1f%% failed, %.1f%% slow\n", health->window_calls, health->failure_rate,
                health->slow_call_rate);
    }
}

static void latency_write(FILE *out, const struct cb_health *health)
{
    if (!health->latency_count)
        return;
    char p50[LATENCY_TEXT], p95[LATENCY_TEXT], p99[LATENCY_TEXT];
    label_write(out, "latency");
    fprintf(out, "p50 %s, p95 %s, p99 %s (%" PRIu64 " calls timed)\n", latency_text(health->latency_p50_us, p50),
            latency_text(health->latency_p95_us, p95), latency_text(health->latency_p99_us, p99),
            health->latency_count);
}

void health_write(FILE *out, const struct cb_health *health, const char *colour)
{
    head_write(out, health, colour);
    override_write(out, health);
    counts_write(out, &health->counts);
    rates_write(out, health);
    latency_write(out, health);
}
