#include "registryd/announce.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/words.h"
#include "registryd/log.h"

#define PART_SIZE 256

static bool is_open(unsigned state)
{
    return state == STATE_OPEN || state == STATE_FORCED_OPEN;
}

/* Workers create breakers whenever they start. */
static bool is_news(const struct event *event)
{
    bool opens_or_closes = event->from != event->to && (is_open(event->from) || is_open(event->to));
    return event->cause != CAUSE_CREATED && (opens_or_closes || event->uid != EVENT_NOBODY);
}

/* Its process did not say so: it had died, or had still to. */
static bool is_left_call(const struct event *event)
{
    return event->cause == CAUSE_ABANDONED || event->cause == CAUSE_OVERDUE;
}

/* ", by uid 0 (cbctl[77]): ticket 4711", ", seen by php-fpm[1234]", ", a call of php-fpm[1234]" */
static void say_who(const struct event *event, char out[PART_SIZE])
{
    char process[EVENT_COMMAND_SIZE + 16];
    snprintf(process, sizeof process, *event->command ? "%s[%" PRIu32 "]" : "%spid %" PRIu32, event->command,
             event->pid);
    *out = '\0';
    if (event->uid != EVENT_NOBODY)
        snprintf(out, PART_SIZE, ", by uid %" PRIu32 " (%s)%s%s", event->uid, process, *event->reason ? ": " : "",
                 event->reason);
    else if (event->pid)
        snprintf(out, PART_SIZE, ", %s %s", is_left_call(event) ? "a call of" : "seen by", process);
}

static void say_next(const struct event *event, char out[PART_SIZE])
{
    uint64_t ms = event->until_ms > event->time_ms ? event->until_ms - event->time_ms : 0;
    *out = '\0';
    if (event->to == STATE_OPEN && event->from != event->to && ms)
        snprintf(out, PART_SIZE, "; next probe in %" PRIu64 ".%" PRIu64 " s", ms / 1000, ms % 1000 / 100);
}

void announce(const struct event *event, void *unused)
{
    char text[EVENT_TEXT_SIZE], who[PART_SIZE], next[PART_SIZE];
    (void)unused;
    if (!is_news(event))
        return;
    say_who(event, who);
    say_next(event, next);
    const struct log_field fields[] = {
        {"CB_BREAKER", event->name},      {"CB_FROM", state_name(event->from)},
        {"CB_TO", state_name(event->to)}, {"CB_CAUSE", cause_name(event->cause)},
        {"CB_REASON", event->reason},
    };
    log_tell(LOG_NOTICE, fields, sizeof fields / sizeof *fields, "breaker %s: %s%s%s", event->name,
             event_text(event, text), who, next);
}
