#include "event_json.h"

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "json.h"

static json_t *json_state(int32_t state)
{
    return state < 0 ? json_null() : json_string(cb_state_name((enum cb_state)state));
}

/* Deadlines are in the monotonic clock; the event's two times say how that stood to the wall's. */
static json_t *json_until(const struct cb_event *event)
{
    char text[EVENT_TEXT];
    if (event->until_ms == 0)
        return json_null();
    return json_string(time_rfc3339(event->wall_ms + (event->until_ms - event->time_ms), text));
}

static json_t *json_uid(const struct cb_event *event)
{
    return event->uid == UINT32_MAX ? json_null() : json_integer((json_int_t)event->uid);
}

json_t *json_event(const struct cb_event *event)
{
    char time[EVENT_TEXT];
    return json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:b}", /* in order */
                     "sequence", (json_int_t)event->sequence, "time", time_rfc3339(event->wall_ms, time), "breaker",
                     event->name, "from", json_state(event->from), "to", json_state(event->to), "cause", event->cause,
                     "text", event->text, "value", (json_int_t)event->value, "of", (json_int_t)event->of, "threshold",
                     (json_int_t)event->threshold, "until", json_until(event), "pid", (json_int_t)event->pid, "command",
                     json_text(event->command), "uid", json_uid(event), "reason", json_text(event->reason), "filled",
                     (int)event->filled);
}

void json_line(json_t *value)
{
    json_dumpf(value, stdout, 0);
    putchar('\n');
    json_decref(value);
}
