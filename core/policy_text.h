/* The words of a policy's text: numbers, durations, and quoting what somebody wrote. Never depends on the locale. */
#ifndef CORE_POLICY_TEXT_H
#define CORE_POLICY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of somebody's text, not terminated. `start` NULL: there is none. */
struct text {
    const char *start;
    size_t length;
};

/* Take the next word (between spaces or tabs) off the front of *rest; false: there is none. */
bool text_next(struct text *rest, struct text *word);
/* Cut `text` at its first `mark`: what is before it, and in *after what follows. False: no `mark` in it. */
bool text_cut(struct text text, char mark, struct text *before, struct text *after);
bool text_is(struct text, const char *word);

/*
 * What a whole text says as a number. NULL: *value has it, saturated far above every range, so that a range check finds
 * what is too large. Else what is wrong, for a sentence: "is not a duration".
 */
const char *text_count(struct text, uint64_t *value);
const char *text_duration(struct text, uint64_t *ms);   /* a number with ms, s, m or h; 0 needs no unit */
const char *text_decimal(struct text, uint64_t *milli); /* up to three decimals; x 1000 */

/* A key of ours that somebody may have meant; NULL: none is near. `key_at` returns NULL past the last. */
const char *text_nearest(struct text, const char *(*key_at)(size_t index));

/* Fits every quoted text: clipped, and all but printable ASCII as \xNN. */
#define QUOTE_SIZE 112
void text_quote(struct text, char out[QUOTE_SIZE]);

/* In the largest unit that leaves no rest: "0", "250ms", "90s", "5m". */
#define DURATION_SIZE 16
void duration_format(uint32_t ms, char out[DURATION_SIZE]);

#endif
