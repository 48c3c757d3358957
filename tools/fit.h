/* Text in so many columns of a terminal. Bytes that are no characters of the locale count as one column each. */
#ifndef TOOLS_FIT_H
#define TOOLS_FIT_H

#include <stddef.h>

#define FIT_TEXT 1024

/* How many columns the text takes. */
unsigned fit_width(const char *text);

/* The text padded with blanks to exactly `columns`, or cut, which `mark` (one column wide) shows. Returns `out`. */
const char *fit_text(const char *text, unsigned columns, const char *mark, char out[FIT_TEXT]);

/* Where a line of at most `columns` ends: at a blank if there is one, else anywhere. The number of its bytes. */
size_t fit_line(const char *text, unsigned columns);

#endif
