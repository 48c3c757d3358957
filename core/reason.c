#include "core/reason.h"

#include <stdbool.h>

/* The range of the second byte: leaves out overlong spellings, surrogates and the control characters U+0080 to U+009F. */
static bool second_fits(unsigned char lead, unsigned char second)
{
    unsigned char low = lead == 0xc2 || lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* Bytes of the character at `at`, 0 if it is none that may stand there. */
static size_t character(const unsigned char *at)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (length == 1)
        return at[0] >= ' ' && at[0] != 0x7f;
    if (at[0] < 0xc2 || at[0] > 0xf4 || !second_fits(at[0], at[1]))
        return 0;
    for (size_t i = 2; i < length; i++) /* stops at the terminator, which is no continuation */
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

size_t reason_fault(const char *reason)
{
    const unsigned char *text = (const unsigned char *)reason;
    for (size_t at = 0, length; text[at] != '\0'; at += length)
        if ((length = character(text + at)) == 0)
            return at + 1;
    return 0;
}
