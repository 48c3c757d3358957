#include "registryd/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "registryd/log.h"
#include "registryd/state_breaker.h"
#include "registryd/walltime.h"

#define TURN_MS    250
#define REST_TURNS 4    /* between two writings */
#define DRIFT_MS   1000 /* so much may the wall clock move against ours before the ends in the file are wrong */

/* ---- writing ---- */

static int64_t offset_now_ms(const struct state *state)
{
    return (int64_t)(walltime_now_ms() - segment_now_ms(state->segment));
}

static void text_write(const struct state *state, FILE *stream)
{
    struct state_writer writer;
    struct state_entry entry;
    uint64_t wall_ms = walltime_now_ms();
    state_text_begin(&writer, stream, state->registry, wall_ms);
    for (uint32_t slot = 0; slot < state->segment->capacity; slot++)
        if (state_breaker_read(state->segment, slot, wall_ms, &entry))
            state_text_add(&writer, &entry);
    state_text_end(&writer);
}

static int write_all(const struct state *state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL)
        return -errno;
    text_write(state, stream);
    bool failed = ferror(stream) != 0;
    failed |= fclose(stream) != 0;
    int result = failed ? -ENOMEM : state_file_write(&state->file, text, length);
    free(text);
    return result;
}

/* The writer is a thread: to make the text of 10,000 breakers takes some 20 ms, and a disk takes what it likes. It reads
 * the memory as any process does, without a lock. */
static void write_aside(void *arg)
{
    struct state *state = arg;
    state->error = write_all(state);
    uv_async_send(&state->written);
}

static void write_done(struct state *state)
{
    bool done = state->error == 0;
    if (done) {
        state->mark = state->next_mark;
        state->offset_ms = state->next_offset_ms;
    }
    if (done && !state->healthy)
        log_say(LOG_NOTICE, "%s is written again", state->file.path);
    if (!done && state->healthy)
        log_say(LOG_ERR, "%s cannot be written: %s; trying again until it can", state->file.path,
                strerror(-state->error));
    state->healthy = done;
}

static bool is_due(struct state *state)
{
    state->next_mark = state_breaker_mark(state->segment);
    state->next_offset_ms = offset_now_ms(state);
    int64_t drift = state->next_offset_ms - state->offset_ms;
    return state->next_mark != state->mark || drift > DRIFT_MS || drift < -DRIFT_MS;
}

static void write_here(struct state *state)
{
    state->error = write_all(state);
    write_done(state);
}

static void on_turn(uv_timer_t *timer)
{
    struct state *state = timer->data;
    if (state->rest > 0)
        state->rest--;
    if (state->writing || state->rest > 0 || !is_due(state))
        return;
    state->rest = REST_TURNS;
    state->writing = uv_thread_create(&state->writer, write_aside, state) == 0;
    if (!state->writing) /* no thread is to be had: late is better than never */
        write_here(state);
}

static void on_written(uv_async_t *async)
{
    struct state *state = async->data;
    uv_thread_join(&state->writer);
    state->writing = false;
    write_done(state);
}

/* ---- starting and ending ---- */

static bool keep_damaged(const struct state *state)
{
    char kept[STATE_PATH_SIZE];
    int result = state_file_keep(&state->file, kept);
    if (result != 0)
        log_say(LOG_ERR, "%s is damaged, and no copy of it can be kept: %s; move it away", state->file.path,
                strerror(-result));
    else
        log_say(LOG_WARNING, "%s is kept as %s and will be replaced", state->file.path, kept);
    return result == 0;
}

static void say_restored(const struct state *state)
{
    char time[WALLTIME_SIZE];
    walltime_format(state->summary.saved_ms, time);
    if (state->restored > 0)
        log_say(LOG_INFO, "registry %s: %u breakers are back from %s, as they were at %s", state->registry,
                state->restored, state->file.path, state->summary.saved_ms ? time : "an unknown time");
}

bool state_start(struct state *state, uv_loop_t *loop, const struct registry *registry)
{
    if (!state->used)
        return true;
    say_restored(state);
    free(state->content);
    state->content = NULL;
    if ((state->damaged || state->refused > 0) && !keep_damaged(state))
        return false;
    state->segment = &registry->segment;
    uv_timer_init(loop, &state->timer);
    uv_async_init(loop, &state->written, on_written);
    state->timer.data = state->written.data = state;
    uv_timer_start(&state->timer, on_turn, 0, TURN_MS);
    return true;
}

void state_stop(struct state *state)
{
    if (state->segment == NULL)
        return;
    if (state->writing)
        on_written(&state->written);
    uv_close((uv_handle_t *)&state->timer, NULL);
    uv_close((uv_handle_t *)&state->written, NULL);
}

void state_close(struct state *state)
{
    if (!state->used)
        return;
    if (state->segment && is_due(state))
        write_here(state);
    state->segment = NULL;
    free(state->content);
    state->content = NULL;
    state_file_close(&state->file);
}

bool state_healthy(const struct state *state)
{
    return state->healthy;
}
