#include "registryd/state_entry.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/reason.h"
#include "core/segment.h"
#include "registryd/walltime.h"

#define ATTEMPT_MAX 31 /* the gate has five bits for it */

/* ---- writing ---- */

struct line {
    char *text;
    size_t length;
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->text + line->length, STATE_ENTRY_SIZE - line->length, format, arguments);
    va_end(arguments);
    line->length += (size_t)length;
}

static void put_state(struct line *line, const struct state_entry *entry)
{
    char time[WALLTIME_SIZE];
    if (entry->state == STATE_CLOSED)
        return;
    put(line, " state=%s", state_name(entry->state));
    walltime_format(entry->until_ms, time);
    if (entry->until_ms != 0)
        put(line, " until=%s", time);
    if (entry->state == STATE_OPEN)
        put(line, " attempt=%u", entry->attempt);
    else
        put(line, " uid=%u pid=%u", entry->uid, entry->pid);
}

void state_entry_format(const struct state_entry *entry, char out[STATE_ENTRY_SIZE])
{
    char policy[POLICY_TEXT_SIZE];
    struct line line = {.text = out};
    put(&line, "breaker %s creator=%u", entry->name, entry->creator_uid);
    put_state(&line, entry);
    policy_format(&entry->policy, policy);
    if (*policy)
        put(&line, " %s", policy);
    if (*entry->reason)
        put(&line, " reason=%s", entry->reason);
}

/* ---- reading ---- */

struct words {
    char *rest;
    char *fault;
};

static bool __attribute__((format(printf, 2, 3))) fail(const struct words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words->fault, STATE_FAULT_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* The next word's value if the word begins with `key`; NULL: it does not, and stays. */
static char *take(struct words *words, const char *key)
{
    size_t length = strlen(key);
    if (strncmp(words->rest, key, length) != 0)
        return NULL;
    char *value = words->rest + length;
    words->rest = value + strcspn(value, " ");
    if (*words->rest)
        *words->rest++ = '\0';
    return value;
}

/* A number of at most `most`; absent, it is 0. */
static bool take_number(struct words *words, const char *key, unsigned long most, uint32_t *out)
{
    char *value = take(words, key), *end = NULL;
    errno = 0;
    unsigned long number = value ? strtoul(value, &end, 10) : 0;
    if (value && (*value < '0' || *value > '9' || *end || errno || number > most))
        return fail(words, "%s'%.20s' is not a number from 0 to %lu", key, value, most);
    *out = (uint32_t)number;
    return true;
}

static bool take_until(struct words *words, uint64_t *out)
{
    const char *value = take(words, "until=");
    *out = 0;
    return value == NULL || walltime_parse(value, out) || fail(words, "until='%.40s' is not a time", value);
}

static bool state_find(const char *name, enum breaker_state *state)
{
    for (*state = STATE_OPEN; *state <= STATE_METRICS_ONLY; ++*state)
        if (*state != STATE_HALF_OPEN && strcmp(state_name(*state), name) == 0)
            return true;
    return false;
}

/* Who imposed it, or how often it has re-opened: an entry has the one or the other. */
static bool take_author(struct words *words, struct state_entry *entry)
{
    return take_number(words, "uid=", UINT32_MAX, &entry->uid) && take_number(words, "pid=", UINT32_MAX, &entry->pid);
}

static bool take_state(struct words *words, struct state_entry *entry)
{
    const char *value = take(words, "state=");
    if (value == NULL)
        return true;
    if (!state_find(value, &entry->state))
        return fail(words, "state='%.20s' is none that is kept: open, forced-open, disabled or metrics-only", value);
    if (!take_until(words, &entry->until_ms))
        return false;
    if (entry->state != STATE_OPEN)
        return take_author(words, entry);
    return take_number(words, "attempt=", ATTEMPT_MAX, &entry->attempt) &&
           (entry->until_ms != 0 || fail(words, "state=open has no until"));
}

static bool take_name(struct words *words, struct state_entry *entry)
{
    const char *name = take(words, "breaker ");
    if (name == NULL || !breaker_name_valid(name, strlen(name)))
        return fail(words, "it names no breaker");
    snprintf(entry->name, sizeof entry->name, "%s", name);
    return true;
}

/* Cut it off the end: no key of a policy has that name, and no value a space. */
static bool take_reason(struct words *words, struct state_entry *entry)
{
    static const char key[] = "reason=";
    char *found = strncmp(words->rest, key, sizeof key - 1) == 0 ? words->rest : strstr(words->rest, " reason=");
    if (found == NULL)
        return true;
    const char *reason = strchr(found, '=') + 1;
    *found = '\0';
    if (strlen(reason) >= sizeof entry->reason || reason_fault(reason) != 0)
        return fail(words, "its reason is no text of at most %d bytes", REASON_SIZE - 1);
    snprintf(entry->reason, sizeof entry->reason, "%s", reason);
    return true;
}

static bool take_policy(struct words *words, struct state_entry *entry)
{
    char error[POLICY_ERROR_SIZE];
    return policy_parse(words->rest, &entry->policy, error) == 0 || fail(words, "%s", error);
}

bool state_entry_parse(const char *text, struct state_entry *entry, char fault[STATE_FAULT_SIZE])
{
    char copy[STATE_ENTRY_SIZE];
    struct words words = {.rest = copy, .fault = fault};
    memset(entry, 0, sizeof *entry);
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return fail(&words, "it is longer than any line that is written");
    return take_name(&words, entry) && take_number(&words, "creator=", UINT32_MAX, &entry->creator_uid) &&
           take_reason(&words, entry) && take_state(&words, entry) && take_policy(&words, entry);
}
