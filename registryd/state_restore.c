/* Reading the state file, and making memory of it. */
#include <errno.h>
#include <string.h>

#include "registryd/log.h"
#include "registryd/state.h"
#include "registryd/state_breaker.h"
#include "registryd/walltime.h"

#define FAULTS_MAX 20 /* that are said one by one */

/* ---- reading ---- */

static void say_fault(void *arg, unsigned line, const char *what)
{
    const struct state *state = arg;
    if (state->summary.faults < FAULTS_MAX)
        log_say(LOG_ERR, "%s:%u: %s", state->file.path, line, what);
    else if (state->summary.faults == FAULTS_MAX)
        log_say(LOG_ERR, "%s: and more that is not said one by one", state->file.path);
}

static bool content_is_ours(const struct state *state)
{
    const struct state_summary *summary = &state->summary;
    if (summary->foreign)
        log_say(LOG_ERR, "%s is no state file; remove it, or choose another for the state", state->file.path);
    else if (*summary->registry && strcmp(summary->registry, state->registry) != 0)
        log_say(LOG_ERR, "%s is the state of the registry %s, not of %s; choose another file", state->file.path,
                summary->registry, state->registry);
    else
        return true;
    return false;
}

static bool content_take(struct state *state)
{
    struct state_reader reader = {.fault = say_fault, .arg = state};
    int result = state_file_read(&state->file, &state->content, &state->length);
    if (result == -ENOENT)
        return true;
    if (result == -EPERM)
        return false;
    if (result != 0) {
        log_say(LOG_ERR, "%s cannot be read: %s", state->file.path, strerror(-result));
        state->damaged = true;
        return true;
    }
    state_text_read(state->content, state->length, &reader, &state->summary);
    state->damaged = state->summary.faults > 0;
    return content_is_ours(state);
}

bool state_open(struct state *state, const char *path, const char *registry)
{
    *state = (struct state){.used = path != NULL, .registry = registry, .healthy = true};
    if (path == NULL || (state_file_open(&state->file, path) && content_take(state)))
        return true;
    state_close(state);
    return false;
}

/* ---- into the memory ---- */

struct restore {
    struct state *state;
    struct segment *segment;
    uint64_t wall_ms;
};

static void say_ended(const struct state_entry *entry)
{
    char time[WALLTIME_SIZE];
    walltime_format(entry->until_ms, time);
    log_say(LOG_NOTICE, "breaker %s: the override %s of uid %u has ended meanwhile, at %s", entry->name,
            state_name(entry->state), entry->uid, time);
}

static void restore_entry(void *arg, const struct state_entry *entry, const struct state_summary *summary)
{
    const struct restore *restore = arg;
    char error[SEGMENT_ERROR_SIZE] = "";
    int result = state_breaker_create(restore->segment, entry, summary->saved_ms, restore->wall_ms, error);
    if (result != 0) {
        log_say(LOG_ERR, "%s: breaker %s is not restored: %s", restore->state->file.path, entry->name, error);
        restore->state->refused++;
        return;
    }
    restore->state->restored++;
    if (entry->state >= STATE_FORCED_OPEN && entry->until_ms != 0 &&
        state_breaker_left_ms(entry, summary->saved_ms, restore->wall_ms) == 0)
        say_ended(entry);
}

static void restore(struct segment *segment, void *arg)
{
    struct state *state = arg;
    struct restore into = {state, segment, walltime_now_ms()};
    struct state_reader reader = {.entry = restore_entry, .arg = &into};
    struct state_summary unused;
    state->restored = state->refused = 0;
    if (state->content)
        state_text_read(state->content, state->length, &reader, &unused);
}

struct segment_content state_content(struct state *state)
{
    return (struct segment_content){restore, state};
}
