#include "event.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t event_age_ms(const struct cb_event *event)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC);
    return now > event->time_ms ? now - event->time_ms : 0;
}

static const char *time_text(uint64_t wall_ms, struct tm *(*split)(const time_t *, struct tm *), const char *form,
                             const char *zone, char out[EVENT_TEXT])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts = {0};
    split(&seconds, &parts);
    size_t length = strftime(out, EVENT_TEXT, form, &parts);
    snprintf(out + length, EVENT_TEXT - length, ".%03u%s", (unsigned)(wall_ms % 1000), zone);
    return out;
}

const char *event_time(const struct cb_event *event, char out[EVENT_TEXT])
{
    return time_text(event->wall_ms, localtime_r, "%m-%d %H:%M:%S", "", out);
}

const char *time_rfc3339(uint64_t wall_ms, char out[EVENT_TEXT])
{
    return time_text(wall_ms, gmtime_r, "%Y-%m-%dT%H:%M:%S", "Z", out);
}

const char *event_cause(const struct cb_event *event, char out[EVENT_TEXT])
{
    const char *why = strstr(event->text, ": ");
    snprintf(out, EVENT_TEXT, "%s", why ? why + 2 : event->text);
    return out;
}

const char *event_actor(const struct cb_event *event, char out[EVENT_TEXT])
{
    char user[EVENT_TEXT], process[EVENT_TEXT];
    snprintf(process, sizeof process, *event->command ? "%s[%" PRIu32 "]" : "%spid %" PRIu32, event->command,
             event->pid);
    if (event->uid != UINT32_MAX && event->pid)
        snprintf(out, EVENT_TEXT, "%.40s (%.60s)", user_name(event->uid, user), process);
    else if (event->uid != UINT32_MAX)
        snprintf(out, EVENT_TEXT, "%.40s", user_name(event->uid, user));
    else if (event->pid)
        snprintf(out, EVENT_TEXT, "%.60s", process);
    else
        strcpy(out, event->filled ? "nobody knows" : "registryd");
    return out;
}

const char *user_name(uint32_t uid, char out[EVENT_TEXT])
{
    const struct passwd *user = getpwuid(uid);
    if (user)
        snprintf(out, EVENT_TEXT, "%s", user->pw_name);
    else
        snprintf(out, EVENT_TEXT, "uid %" PRIu32, uid);
    return out;
}
