/* What happened: the events, and beyond them what the daemon has not made events of yet. */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "core/clock.h"
#include "core/gather.h"
#include "core/process.h"
#include "core/words.h"

_Static_assert(sizeof((struct cb_event *)0)->name == NAME_SIZE, "names");
_Static_assert(sizeof((struct cb_event *)0)->reason == REASON_SIZE, "reasons");
_Static_assert(sizeof((struct cb_event *)0)->command == EVENT_COMMAND_SIZE, "commands");
_Static_assert(sizeof((struct cb_event *)0)->text == EVENT_TEXT_SIZE, "texts");

static int32_t public_state(uint8_t state)
{
    return state == STATE_UNKNOWN ? -1 : state;
}

void event_publish(const struct event *event, struct cb_event *out)
{
    *out = (struct cb_event){
        .sequence = event->sequence,
        .time_ms = event->time_ms,
        .wall_ms = event->wall_ms,
        .from = public_state(event->from),
        .to = public_state(event->to),
        .cause = cause_name(event->cause),
        .value = event->value,
        .of = event->of,
        .threshold = event->threshold,
        .until_ms = event->until_ms,
        .pid = event->pid,
        .uid = event->uid,
        .filled = event->filled,
    };
    memcpy(out->name, event->name, sizeof out->name);
    memcpy(out->command, event->command, sizeof out->command);
    if (event->sequence == 0 && event->pid) /* nobody has asked yet */
        process_start(event->pid, out->command);
    memcpy(out->reason, event->reason, sizeof out->reason);
    event_text(event, out->text);
}

struct reading {
    struct gather gather;
    const char *name; /* NULL: all */
    cb_event_visit *visit;
    void *arg;
    uint64_t found;
};

static int pass_on(struct reading *reading, const struct event *event)
{
    struct cb_event out;
    if (reading->name && strncmp(reading->name, event->name, NAME_SIZE) != 0)
        return 0;
    reading->found++;
    event_publish(event, &out);
    return reading->visit(&out, reading->arg);
}

/* What was known when this began, by slot, goes on with each event that is read: what is left are notes beyond them, not
 * more than the journal holds, however fast new ones come. */
static int read_all(struct reading *reading, const struct segment *segment)
{
    struct event event;
    int code = 0;
    for (uint64_t i = events_first(segment), last = events_last(segment); i <= last && code == 0; i++) {
        if (!events_read(segment, i, &event))
            continue;
        if (!gather_knows(&reading->gather, &event))
            gather_note(&reading->gather, &event);
        code = pass_on(reading, &event);
    }
    for (uint32_t left = segment->journal_length; left > 0 && code == 0; left--) {
        if (!gather_next(&reading->gather, segment_now_ms(segment), &event))
            break;
        code = pass_on(reading, &event);
    }
    return code;
}

static int check_name(const char *name)
{
    if (name == NULL || breaker_name_valid(name, strlen(name)))
        return 0;
    return fail(CB_ENAME, "a breaker's name is 1 to 63 bytes of A-Z a-z 0-9 . _ : / @ -");
}

int cb_history(cb_registry *registry, const char *name, cb_event_visit *visit, void *arg)
{
    if (!registry || !visit)
        return fail(-EINVAL, "cb_history: a NULL argument");
    int code = check_name(name);
    const struct membership *membership = registry_looked_at(registry);
    if (code < 0 || !membership)
        return code;
    const struct segment *segment = &membership->segment;
    struct reading reading = {.name = name, .visit = visit, .arg = arg};
    if (!gather_init(&reading.gather, segment, !membership->shared, 0))
        return fail(-ENOMEM, "no memory to read the history of %u breakers", segment->capacity);
    code = read_all(&reading, segment);
    gather_finish(&reading.gather);
    if (code == 0 && name && reading.found == 0 && panel_find(segment, name) < 0)
        return fail(CB_ENOTFOUND, "registry '%s' has no breaker '%.63s'", registry->name, name);
    return code;
}
