#include "registryd/hook_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/words.h"
#include "registryd/walltime.h"

/* The next text in the store; all of them together fit (asserted below). */
static __attribute__((format(printf, 2, 3))) char *text_add(struct hook_text *text, const char *format, ...)
{
    char *begin = text->behind;
    size_t room = (size_t)(text->store + sizeof text->store - begin);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(begin, room, format, arguments);
    va_end(arguments);
    text->behind += length > 0 && (size_t)length < room ? (size_t)length + 1 : 0;
    return begin;
}

static void variables_fill(struct hook_text *text, const char *registry, const struct event *event, unsigned skipped)
{
    char time[WALLTIME_SIZE], sentence[EVENT_TEXT_SIZE], uid[16] = "", pid[16] = "";
    size_t count = 0;
    walltime_format(event->wall_ms, time);
    if (event->uid != EVENT_NOBODY)
        snprintf(uid, sizeof uid, "%" PRIu32, event->uid);
    if (event->pid)
        snprintf(pid, sizeof pid, "%" PRIu32, event->pid);
    text->environment[count++] = text_add(text, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    text->environment[count++] = text_add(text, "CB_REGISTRY=%s", registry);
    text->environment[count++] = text_add(text, "CB_BREAKER=%s", event->name);
    text->environment[count++] = text_add(text, "CB_FROM=%s", state_name(event->from));
    text->environment[count++] = text_add(text, "CB_TO=%s", state_name(event->to));
    text->environment[count++] = text_add(text, "CB_CAUSE=%s", cause_name(event->cause));
    text->environment[count++] = text_add(text, "CB_TEXT=%s", event_text(event, sentence));
    text->environment[count++] = text_add(text, "CB_TIME=%s", time);
    text->environment[count++] = text_add(text, "CB_SEQUENCE=%" PRIu64, event->sequence);
    text->environment[count++] = text_add(text, "CB_REASON=%s", event->reason);
    text->environment[count++] = text_add(text, "CB_UID=%s", uid);
    text->environment[count++] = text_add(text, "CB_PID=%s", pid);
    text->environment[count++] = text_add(text, "CB_COMMAND=%s", event->command);
    text->environment[count++] = text_add(text, "CB_SKIPPED=%u", skipped);
    text->environment[count] = NULL;
}

void hook_text_fill(struct hook_text *text, const char *command, const char *registry, const struct event *event,
                    unsigned skipped)
{
    text->behind = text->store;
    text->arguments[0] = text_add(text, "%s", command);
    text->arguments[1] = text_add(text, "%s", event->name);
    text->arguments[2] = text_add(text, "%s", state_name(event->from));
    text->arguments[3] = text_add(text, "%s", state_name(event->to));
    text->arguments[4] = NULL;
    variables_fill(text, registry, event, skipped);
}

_Static_assert(HOOK_TEXT_SIZE > 3 * NAME_SIZE + REASON_SIZE + EVENT_TEXT_SIZE + EVENT_COMMAND_SIZE + PATH_SIZE + 1024,
               "all texts and keys fit");
