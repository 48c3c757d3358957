#include "registryd/http_event.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/words.h"
#include "registryd/http_json.h"
#include "registryd/walltime.h"

static json_t *state_json(uint8_t state)
{
    return state == STATE_UNKNOWN ? json_null() : json_string(state_name(state));
}

/* Deadlines are in the monotonic clock; the event's two times say how that stood to the wall's. */
static json_t *until_json(const struct event *event)
{
    char text[WALLTIME_SIZE];
    if (event->until_ms == 0)
        return json_null();
    walltime_format(event->wall_ms + (event->until_ms - event->time_ms), text);
    return json_string(text);
}

static json_t *uid_json(const struct event *event)
{
    return event->uid == EVENT_NOBODY ? json_null() : json_integer((json_int_t)event->uid);
}

json_t *http_event_json(const struct event *event)
{
    char time[WALLTIME_SIZE], text[EVENT_TEXT_SIZE];
    walltime_format(event->wall_ms, time);
    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:s, s:o, s:I, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:b}", /* in order */
                     "sequence", (json_int_t)event->sequence, "time", time, "breaker", http_json_text(event->name),
                     "from", state_json(event->from), "to", state_json(event->to), "cause", cause_name(event->cause),
                     "text", http_json_text(event_text(event, text)), "value", (json_int_t)event->value, "of",
                     (json_int_t)event->of, "threshold", (json_int_t)event->threshold, "until", until_json(event),
                     "pid", (json_int_t)event->pid, "command", http_json_text(event->command), "uid", uid_json(event),
                     "reason", http_json_text(event->reason), "filled", (int)event->filled);
}

struct event http_event_missed(const struct segment *segment, uint64_t count)
{
    struct event event = {
        .cause = CAUSE_MISSED, .value = count, .uid = EVENT_NOBODY, .from = STATE_UNKNOWN, .to = STATE_UNKNOWN};
    event.time_ms = segment_now_ms(segment);
    event.wall_ms = walltime_now_ms();
    return event;
}
