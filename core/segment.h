/* A registry's memory: making it, joining it, checking it. */
#ifndef CORE_SEGMENT_H
#define CORE_SEGMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/layout.h"

/* Own errors, the same numbers as in the public header (asserted in libcbclient). */
enum segment_error {
    SEGMENT_EABSENT = -10001,
    SEGMENT_EOWNER = -10003,
    SEGMENT_EVERSION = -10004,
    SEGMENT_ELAYOUT = -10005,
    SEGMENT_ENAMESPACE = -10006,
    SEGMENT_ERETIRED = -10007,
    SEGMENT_ECORRUPT = -10008,
    SEGMENT_ENAME = -10009,
};
#define SEGMENT_ERROR_SIZE 256

/* A mapped registry. Plain values, process-private; copies of the header's sizes, checked once, so that nothing that
 * changes later can lead astray. */
struct segment {
    const struct panel_header *panel; /* == panel_rw where that may be written */
    struct panel_header *panel_rw;    /* NULL for a worker */
    const au32 *index;
    const struct control *controls;
    const struct event *events;
    struct live_header *live;
    struct worker *workers;
    au32 *owners;
    struct chunk *chunks;
    au64 *places;
    struct record *journal;
    char *slots;
    uint64_t slot_stride;
    uint64_t panel_size, live_size;
    uint32_t capacity, stripes, worker_count, chunk_count, place_count, journal_length, index_length, event_length;
    uid_t owner;
    char registry[NAME_SIZE];   /* its name; "" for private memory */
    const uint64_t *virtual_ms; /* NULL: CLOCK_MONOTONIC; else where a virtual clock stands */
};

struct geometry {
    uint32_t capacity;       /* breakers: 1..65536 */
    uint32_t stripes;        /* CPUs: 1..256 */
    uint32_t worker_count;   /* processes */
    uint32_t chunk_count;    /* x CHUNK_CALLS calls in flight */
    uint32_t place_count;    /* bulkhead places in all */
    uint32_t journal_length; /* power of two */
    uint32_t event_length;   /* power of two */
};
void geometry_default(struct geometry *, uint32_t capacity);
/* Bytes of both objects together. */
uint64_t geometry_size(const struct geometry *);

/* A registry's name: 1 to 63 bytes of A-Z a-z 0-9 . _ - (it becomes a file name), not "." or "..". */
bool registry_name_valid(const char *name);
/* A breaker's name: 1 to 63 bytes of A-Z a-z 0-9 . _ : / @ -; `length` counts what was given, so that a NUL in it shows. */
bool breaker_name_valid(const char *name, size_t length);

/*
 * Create both objects without a name, size them with posix_fallocate, fill them, then publish them (link, never over an
 * existing name: -EEXIST; a live object alone, left by a creator that died, is replaced). `group`: (gid_t)-1 for none: mode 0600; else panel 0640 and live 0660 of that group.
 * Nothing is left behind on failure; `error` says what to do (-ENOSPC names what is needed and what /dev/shm has).
 */
int segment_create(const char *name, const struct geometry *, gid_t group, const char *socket, struct segment *out,
                   char error[SEGMENT_ERROR_SIZE]);

/* What a registry already has in it when others can find it first; NULL: nothing. */
struct segment_content {
    void (*fill)(struct segment *, void *arg);
    void *arg;
};
int segment_create_with(const char *name, const struct geometry *, gid_t group, const char *socket,
                        const struct segment_content *, struct segment *out, char error[SEGMENT_ERROR_SIZE]);

/* Join as a worker (panel read-only) or, `writable`, as the owner (daemon after a restart, cbctl --offline). Checks owner
 * (root's or our own) and mode, size, magic, version, layout hash, namespaces, retired, each with its own error.
 * -EACCES: not in the registry's group. */
int segment_open(const char *name, bool writable, struct segment *out, char error[SEGMENT_ERROR_SIZE]);

/* The same in private memory (a process's own breakers, virtual registries). */
int segment_private(const struct geometry *, struct segment *out);

/* In a forked child, before it uses its copy of its parent's private segment: the breakers stay as they were, locks and
 * calls in flight are the parent's and go. */
void segment_inherit(struct segment *);

/* Mark it retired and remove its names; whoever has it mapped sees the word. Owner only. With an all-zero segment only
 * the names go: for a registry that cannot be joined. */
void segment_retire(const char *name, struct segment *);

/* Unmap. The names stay. Harmless on an all-zero segment. */
void segment_close(struct segment *);

static inline struct slot *segment_slot(const struct segment *segment, uint32_t slot)
{
    return (struct slot *)(void *)(segment->slots + segment->slot_stride * slot);
}
static inline struct stripe *segment_stripe(const struct segment *segment, uint32_t slot, uint32_t stripe)
{
    return (struct stripe *)(void *)((char *)segment_slot(segment, slot) + sizeof(struct slot)) + stripe;
}

#endif
