#include "core/policy_text.h"

#include <stdio.h>
#include <string.h>

/* Above every range, and still far from overflow when it is multiplied by an hour's milliseconds. */
#define NUMBER_MAX  UINT64_C(1000000000000)
#define QUOTE_BYTES 24
#define KEY_BYTES   32

static const struct unit {
    const char *name;
    uint32_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define UNITS (sizeof units / sizeof *units)

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct text text_from(struct text text, size_t start)
{
    return (struct text){text.start + start, text.length - start};
}

bool text_next(struct text *rest, struct text *word)
{
    size_t begin = 0;
    while (begin < rest->length && is_space(rest->start[begin]))
        begin++;
    size_t end = begin;
    while (end < rest->length && !is_space(rest->start[end]))
        end++;
    *word = (struct text){rest->start + begin, end - begin};
    *rest = text_from(*rest, end);
    return word->length > 0;
}

bool text_cut(struct text text, char mark, struct text *before, struct text *after)
{
    const char *found = text.length ? memchr(text.start, mark, text.length) : NULL;
    if (!found)
        return false;
    size_t length = (size_t)(found - text.start);
    *before = (struct text){text.start, length};
    *after = text_from(text, length + 1);
    return true;
}

bool text_is(struct text text, const char *word)
{
    return strlen(word) == text.length && memcmp(text.start, word, text.length) == 0;
}

/* The number at the front; returns how many digits it has. */
static size_t leading_number(struct text text, uint64_t *value)
{
    size_t length = 0;
    *value = 0;
    for (; length < text.length && text.start[length] >= '0' && text.start[length] <= '9'; length++) {
        *value = *value * 10 + (uint64_t)(text.start[length] - '0');
        if (*value > NUMBER_MAX)
            *value = NUMBER_MAX;
    }
    return length;
}

const char *text_count(struct text text, uint64_t *value)
{
    size_t digits = leading_number(text, value);
    return digits && digits == text.length ? NULL : "is not a whole number";
}

const char *text_duration(struct text text, uint64_t *ms)
{
    uint64_t number;
    size_t digits = leading_number(text, &number);
    if (!digits)
        return "is not a duration";
    *ms = 0;
    if (digits == text.length)
        return number ? "has no unit" : NULL;
    for (size_t i = 0; i < UNITS; i++) {
        if (!text_is(text_from(text, digits), units[i].name))
            continue;
        *ms = number * units[i].ms;
        return NULL;
    }
    return "is not a duration";
}

const char *text_decimal(struct text text, uint64_t *milli)
{
    static const uint64_t scale[] = {1000, 100, 10, 1};
    struct text whole = text, fraction;
    uint64_t thousandths = 0;
    if (text_cut(text, '.', &whole, &fraction)) {
        size_t digits = leading_number(fraction, &thousandths);
        if (!digits || digits != fraction.length)
            return "is not a number";
        if (digits > 3)
            return "has too many decimals";
        thousandths *= scale[digits];
    }
    if (text_count(whole, milli))
        return "is not a number";
    *milli = *milli * 1000 + thousandths;
    return NULL;
}

/* How many letters must change to make one of the other (Levenshtein), row by row. */
static size_t distance(struct text a, const char *b)
{
    size_t row[KEY_BYTES + 1], width = strlen(b);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; i < a.length; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t least = diagonal + (a.start[i] != b[j]);
            diagonal = row[j + 1];
            least = row[j] + 1 < least ? row[j] + 1 : least;
            row[j + 1] = diagonal + 1 < least ? diagonal + 1 : least;
        }
    }
    return row[width];
}

const char *text_nearest(struct text text, const char *(*key_at)(size_t index))
{
    const char *nearest = NULL, *key;
    size_t least = text.length / 3 + 1; /* further away is another word */
    for (size_t i = 0; text.length <= KEY_BYTES && (key = key_at(i)); i++) {
        size_t changes = strlen(key) <= KEY_BYTES ? distance(text, key) : least;
        if (changes >= least + (nearest == NULL))
            continue;
        least = changes;
        nearest = key;
    }
    return nearest;
}

void text_quote(struct text text, char out[QUOTE_SIZE])
{
    size_t at = 0;
    for (size_t i = 0; i < text.length && i < QUOTE_BYTES; i++) {
        unsigned char c = (unsigned char)text.start[i];
        bool plain = c >= 0x20 && c < 0x7f;
        at += (size_t)(plain ? snprintf(out + at, QUOTE_SIZE - at, "%c", c)
                             : snprintf(out + at, QUOTE_SIZE - at, "\\x%02x", c));
    }
    snprintf(out + at, QUOTE_SIZE - at, "%s", text.length > QUOTE_BYTES ? "..." : "");
}

void duration_format(uint32_t ms, char out[DURATION_SIZE])
{
    size_t i = 0;
    while (ms % units[i].ms)
        i++;
    snprintf(out, DURATION_SIZE, "%u%s", ms / units[i].ms, ms ? units[i].name : "");
}
