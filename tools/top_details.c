/* The pages of `cbctl top` that are text: all about one breaker, and what keys do. */
#include <inttypes.h>
#include <string.h>

#include "chart.h"
#include "event.h"
#include "health.h"
#include "top.h"

#define EVENTS 200 /* of one breaker, the newest */

static void rates_write(FILE *out, const struct top_row *row)
{
    const struct top_rates *rates = &row->rates;
    label_write(out, "just now");
    fprintf(out, "%.1f calls/s, %.1f%% failed, %.1f%% slow; %.1f/s rejected\n", rates->calls, rates->failed,
            rates->slow, rates->rejected);
}

static void spark_write(FILE *out, const struct top_model *model, const struct top_row *row)
{
    struct top_point points[TOP_SAMPLES];
    uint64_t most = 0;
    model_history(model, row, points, TOP_SAMPLES);
    for (unsigned i = 0; i < TOP_SAMPLES; i++)
        most = most > points[i].height ? most : points[i].height;
    label_write(out, "lately");
    for (unsigned i = 0; i < TOP_SAMPLES; i++)
        fputs(spark_text(spark_level(points[i].height, most), chart_blocks()), out);
    if (most)
        fprintf(out, "  at most %" PRIu64 "/s", most - 1); /* see model_history() */
    putc('\n', out);
}

/* ---- journal ---- */

struct journal {
    struct cb_event events[EVENTS];
    uint64_t seen;
};

static int event_keep(const struct cb_event *event, void *arg)
{
    struct journal *journal = arg;
    journal->events[journal->seen++ % EVENTS] = *event;
    return 0;
}

static void event_write(FILE *out, const struct cb_event *event)
{
    char time[EVENT_TEXT], actor[EVENT_TEXT];
    fprintf(out, "%.14s  %s, by %s%s", event_time(event, time), event->text, event_actor(event, actor),
            event->filled ? " (filled in)" : "");
    if (*event->reason)
        fprintf(out, ": %s", event->reason);
    putc('\n', out);
}

static void journal_write(FILE *out, cb_registry *registry, const char *name)
{
    static struct journal journal; /* too large for a stack, and there is one screen */
    journal.seen = 0;
    if (cb_history(registry, name, event_keep, &journal))
        return;
    for (uint64_t i = 0; i < journal.seen && i < EVENTS; i++) {
        label_write(out, i ? "" : "journal");
        event_write(out, &journal.events[(journal.seen - 1 - i) % EVENTS]);
    }
}

/* ---- pages ---- */

void details_write(FILE *out, const struct top *top)
{
    cb_breaker *breaker;
    struct cb_health health;
    const struct top_row *row = model_find(&top->model, top->selected);
    if (cb_get(top->registry, top->selected, &breaker) || cb_health_of(breaker, &health, sizeof health)) {
        fprintf(out, "%s\n  There is no such breaker any more.\n", top->selected);
        return;
    }
    health_write(out, &health, "");
    if (row) {
        rates_write(out, row);
        spark_write(out, &top->model, row);
    }
    journal_write(out, top->registry, top->selected);
}

void help_write(FILE *out)
{
    fputs("Keys\n"
          "  up, down   the next breaker, also k and j; PgUp, PgDn, Home, End\n"
          "  Enter      all about it, with its journal; Esc goes back\n"
          "  t          trip it: open for its usual time\n"
          "  r          reset it: closed, failures forgotten, override ended\n"
          "  o          override it: force-open, disable, metrics-only, or end that\n"
          "  /          only names with what you type, or that match a pattern (pay*); Esc: all\n"
          "  s, S       sort by something else, forward and back\n"
          "  Ctrl-L     draw the screen anew\n"
          "  q          quit\n"
          "Columns\n"
          "  CALLS/s    calls that ended, of the last five looks, one a second\n"
          "  FAIL%      of these: failed, abandoned or overdue\n"
          "  SLOW%      of these: at least slow_call_duration long\n"
          "  REJ/s      calls that were rejected\n"
          "  BUSY       calls in flight\n"
          "  LATELY     calls and rejections, a column a look\n"
          "  NEXT       until a probe may go out, or an override ends\n"
          "  SINCE      the last change of state\n",
          out);
}
