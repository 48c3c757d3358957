/*
 * A state file's text:
 *
 *   CHECKSUM registryd-state 1 REGISTRY TIME        the version; when it was written
 *   CHECKSUM breaker ...                            a line a breaker, see state_entry.h
 *   CHECKSUM end COUNT CHECKSUM-OF-ALL-BEFORE       how many breakers
 *
 * A checksum is the CRC-32 of its line's text, eight hexadecimal digits. So each damaged line is known, and the others
 * are still good; and lines that are missing, or the end, are.
 */
#ifndef REGISTRYD_STATE_TEXT_H
#define REGISTRYD_STATE_TEXT_H

#include <stdio.h>

#include "registryd/state_entry.h"

#define STATE_VERSION   1
#define STATE_LINE_SIZE (STATE_ENTRY_SIZE + 16)

/* ---- writing: begin, add each, end ---- */

struct state_writer {
    FILE *stream; /* whether it took all is the caller's to see, by ferror() */
    uint32_t checksum;
    unsigned count;
};

void state_text_begin(struct state_writer *, FILE *stream, const char *registry, uint64_t saved_ms);
void state_text_add(struct state_writer *, const struct state_entry *);
void state_text_end(struct state_writer *);

/* One line with its checksum, for tests that make others than the three above. Returns its length. */
size_t state_text_line(char out[STATE_LINE_SIZE], const char *text);

/* ---- reading ---- */

struct state_summary {
    char registry[NAME_SIZE]; /* whose state it is; "": not to be read */
    uint64_t saved_ms;        /* when it was written; 0: not to be read */
    unsigned entries, faults;
    bool foreign; /* nothing in it says that it is a state file */
};

struct state_reader {
    void (*entry)(void *arg, const struct state_entry *, const struct state_summary *so_far); /* may be NULL */
    void (*fault)(void *arg, unsigned line, const char *what);                                /* may be NULL */
    void *arg;
};

/* Whatever `text` holds: all that is good in it goes to `entry`, in order, and all that is wrong to `fault`. */
void state_text_read(const char *text, size_t length, const struct state_reader *, struct state_summary *);

#endif
