#include "fit.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* The first character: its bytes, and its columns. */
static size_t character(const char *text, unsigned *columns)
{
    wchar_t wide;
    mbstate_t state = {0};
    size_t bytes = mbrtowc(&wide, text, strnlen(text, MB_LEN_MAX), &state);
    *columns = 1;
    if (bytes == 0 || bytes > MB_LEN_MAX)
        return 1;
    int width = wcwidth(wide);
    if (width >= 0)
        *columns = (unsigned)width;
    return bytes;
}

/* How many bytes of it fit into `columns`; *used: how many columns these take. */
static size_t fit_bytes(const char *text, unsigned columns, unsigned *used)
{
    size_t fits = 0;
    *used = 0;
    while (text[fits]) {
        unsigned width;
        size_t bytes = character(text + fits, &width);
        if (*used + width > columns)
            break;
        *used += width;
        fits += bytes;
    }
    return fits;
}

unsigned fit_width(const char *text)
{
    unsigned used;
    fit_bytes(text, (unsigned)-1, &used);
    return used;
}

const char *fit_text(const char *text, unsigned columns, const char *mark, char out[FIT_TEXT])
{
    unsigned used;
    size_t bytes = fit_bytes(text, columns, &used);
    bool cut = text[bytes] != '\0' && columns > 0;
    if (cut)
        bytes = fit_bytes(text, columns - 1, &used);
    unsigned blanks = columns - used - cut;
    snprintf(out, FIT_TEXT, "%.*s%s%*s", (int)bytes, text, cut ? mark : "", (int)blanks, "");
    return out;
}

size_t fit_line(const char *text, unsigned columns)
{
    unsigned used;
    size_t bytes = fit_bytes(text, columns, &used);
    if (!text[bytes])
        return bytes;
    for (size_t at = bytes; at > 0; at--)
        if (text[at] == ' ')
            return at;
    return bytes ? bytes : 1; /* a character that is wider than the line */
}
