/*
 * What outlives the memory: policies, overrides and open breakers, in a file. It is written while the daemon runs, when
 * something in it has changed, and read when the memory is made anew; memory that is there has all of it, and counts.
 *
 * In order: open, then the registry with state_content(), start, stop, close; close after open alone will do. Without a
 * path all of them do nothing.
 */
#ifndef REGISTRYD_STATE_H
#define REGISTRYD_STATE_H

#include <uv.h>

#include "registryd/registry.h"
#include "registryd/state_file.h"
#include "registryd/state_text.h"

struct state {
    bool used; /* a path was given */
    const char *registry;
    struct state_file file;
    char *content; /* what was read, until the start */
    size_t length;
    struct state_summary summary;
    unsigned restored, refused; /* breakers: created from it; could not be */
    bool damaged;               /* not all of it was good */

    const struct segment *segment; /* while started */
    uv_timer_t timer;
    uv_async_t written;
    uv_thread_t writer;
    unsigned rest;      /* turns until it may be written again */
    bool writing;       /* the writer has what follows until `written` */
    uint64_t mark;      /* what the memory held when the file was last written */
    int64_t offset_ms;  /* by how much the wall clock was ahead of the gate's then */
    uint64_t next_mark; /* what is being written */
    int64_t next_offset_ms;
    int error; /* of the last writing; 0 or -errno */
    bool healthy;
};

/* Read the file, if there is one; say what is wrong with it. False: why the daemon cannot start has been said. */
bool state_open(struct state *, const char *path, const char *registry);

/* What goes into memory that is made anew: for segment_create_with(). */
struct segment_content state_content(struct state *);

/* The memory is there: from now on the file is kept up to date. A damaged one gets a second name before that. False: why
 * not has been said. */
bool state_start(struct state *, uv_loop_t *, const struct registry *);
void state_stop(struct state *); /* the loop must run on until all handles are closed */
/* Write for the last time. */
void state_close(struct state *);

/* Did the last writing succeed? Also true without a file. */
bool state_healthy(const struct state *);

#endif
