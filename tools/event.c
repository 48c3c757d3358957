#include "event.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
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

const char *event_time(const struct cb_event *event, char out[EVENT_TEXT])
{
    uint64_t wall = clock_ms(CLOCK_REALTIME) - event_age_ms(event);
    time_t seconds = (time_t)(wall / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    size_t length = strftime(out, EVENT_TEXT, "%m-%d %H:%M:%S", &local);
    snprintf(out + length, EVENT_TEXT - length, ".%03u", (unsigned)(wall % 1000));
    return out;
}

const char *event_cause(const struct cb_event *event, char out[EVENT_TEXT])
{
    const char *form = "%s";
    if (strstr(event->cause, "rate"))
        form = "%s %" PRIu64 "%%";
    else if (!strcmp(event->cause, "streak"))
        form = "%s of %" PRIu64;
    snprintf(out, EVENT_TEXT, form, event->cause, event->value);
    return out;
}

static bool by_operator(const struct cb_event *event)
{
    static const char *const theirs[] = {"operator", "created", "removed", "policy"};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        if (!strncmp(event->cause, theirs[i], strlen(theirs[i])))
            return true;
    return event->uid != 0;
}

const char *event_actor(const struct cb_event *event, char out[EVENT_TEXT])
{
    char user[EVENT_TEXT];
    if (!event->pid)
        snprintf(out, EVENT_TEXT, "registryd");
    else if (by_operator(event))
        snprintf(out, EVENT_TEXT, "%.40s (pid %" PRIu32 ")", user_name(event->uid, user), event->pid);
    else
        snprintf(out, EVENT_TEXT, "pid %" PRIu32, event->pid);
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
