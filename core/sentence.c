/* What happened, as a sentence: the state that it led to, why, and the numbers that decided. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/events.h"
#include "core/words.h"

struct text {
    char *out;
    size_t length;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(text->out + text->length, EVENT_TEXT_SIZE - text->length, format, arguments);
    va_end(arguments);
    text->length += more > 0 ? (size_t)more : 0;
    if (text->length >= EVENT_TEXT_SIZE)
        text->length = EVENT_TEXT_SIZE - 1;
}

/* "62.5 %", "50 %" */
static void add_percent(struct text *text, uint64_t part, uint64_t whole)
{
    uint64_t tenths = whole ? (part * 1000 + whole / 2) / whole : 0;
    add(text, "%" PRIu64, tenths / 10);
    if (tenths % 10)
        add(text, ".%" PRIu64, tenths % 10);
    add(text, " %%");
}

/* `value` consecutive failures, of which the last one decided. */
static void add_streak(struct text *text, const struct event *event, const char *last)
{
    add(text, "%" PRIu64 " consecutive failure%s", event->value, event->value == 1 ? "" : "s");
    if (*last)
        add(text, "%s %s", event->value == 1 ? "," : ", the last one", last);
    add(text, " (threshold %" PRIu64 ")", event->threshold);
}

/* `value` of `of` calls were bad; the threshold is in percent. */
static void add_rate(struct text *text, const struct event *event, const char *what)
{
    add_percent(text, event->value, event->of);
    add(text, " of %" PRIu64 " calls %s (threshold %" PRIu64 " %%)", event->of, what, event->threshold);
}

/* Half-open: by rate (`value` of `of` probes succeeded), or one probe decides. */
static void add_probe(struct text *text, const struct event *event, const char *what)
{
    if (event->of) {
        add_percent(text, event->value, event->of);
        add(text, " of %" PRIu64 " probes succeeded (threshold %" PRIu64 " %%)", event->of, event->threshold);
    } else {
        add(text, "%s", what);
    }
}

static void add_passed(struct text *text, const struct event *event)
{
    if (event->of)
        add_probe(text, event, "");
    else
        add(text, "%" PRIu64 " probe%s passed", event->value, event->value == 1 ? "" : "s");
}

/* An override's length: "", or " for 5m". */
static void add_length(struct text *text, const struct event *event)
{
    uint64_t ms = event->until_ms > event->time_ms ? event->until_ms - event->time_ms : 0;
    uint64_t seconds = (ms + 500) / 1000;
    if (ms > 0 && ms < 1000)
        add(text, " for %" PRIu64 "ms", ms);
    else if (seconds % 3600 == 0 && seconds > 0)
        add(text, " for %" PRIu64 "h", seconds / 3600);
    else if (seconds % 60 == 0 && seconds > 0)
        add(text, " for %" PRIu64 "m", seconds / 60);
    else if (seconds > 0)
        add(text, " for %" PRIu64 "s", seconds);
}

static void add_lost(struct text *text, const struct event *event)
{
    if (event_rewinds(event))
        add(text, "written over, or changed too often to be followed");
    else if (event->value > 1)
        add(text, "%" PRIu64 " transitions that nobody wrote down", event->value);
    else
        add(text, "its worker died before it wrote down why");
}

static void add_why(struct text *text, const struct event *event)
{
    bool probe = event->from == STATE_HALF_OPEN;
    switch ((enum cause)event->cause) {
    case CAUSE_STREAK:
        add_streak(text, event, "");
        break;
    case CAUSE_ABANDONED:
        probe ? add_probe(text, event, "a probe was abandoned") : add_streak(text, event, "abandoned");
        break;
    case CAUSE_OVERDUE:
        probe ? add_probe(text, event, "a probe was overdue") : add_streak(text, event, "overdue");
        break;
    case CAUSE_FAILURE_RATE:
        add_rate(text, event, "failed");
        break;
    case CAUSE_SLOW_RATE:
        probe ? add_probe(text, event, "a probe was slow") : add_rate(text, event, "were slow");
        break;
    case CAUSE_PROBE_FAILED:
        add_probe(text, event, "a probe failed");
        break;
    case CAUSE_PROBES_PASSED:
        add_passed(text, event);
        break;
    case CAUSE_TIMEOUT_ELAPSED:
        add(text, "the open time is over");
        break;
    case CAUSE_LEASE_LOST:
        add(text, "no probe came back in time");
        break;
    case CAUSE_OPERATOR_TRIP:
        add(text, "tripped by an operator");
        break;
    case CAUSE_OPERATOR_RESET:
        add(text, "reset by an operator");
        break;
    case CAUSE_OVERRIDE:
        add(text, "imposed by an operator");
        add_length(text, event);
        break;
    case CAUSE_OVERRIDE_ENDED:
        add(text, event->uid == EVENT_NOBODY ? "the override's time is over" : "override ended by an operator");
        break;
    case CAUSE_RESTORED:
        add(text, "back from the state file");
        break;
    case CAUSE_DAMAGED:
        add(text, "damage to the shared memory repaired");
        break;
    case CAUSE_LOST:
        add_lost(text, event);
        break;
    default:
        add(text, "%s", cause_name(event->cause));
    }
}

const char *event_text(const struct event *event, char out[EVENT_TEXT_SIZE])
{
    struct text text = {.out = out};
    *out = '\0';
    if (event->cause == CAUSE_MISSED)
        add(&text, "%" PRIu64 " event%s overwritten before %s read", event->value,
            event->value == 1 ? " was" : "s were", event->value == 1 ? "it was" : "they were");
    else if (event->cause == CAUSE_CREATED || event->cause == CAUSE_POLICY || event->cause == CAUSE_REMOVED)
        add(&text, "%s", cause_name(event->cause));
    else if (event->to == STATE_UNKNOWN)
        add(&text, "changed: ");
    else
        add(&text, "%s: ", state_name(event->to));
    if (text.length > 0 && out[text.length - 1] == ' ')
        add_why(&text, event);
    return out;
}
