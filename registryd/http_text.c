#include "registryd/http_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4096

static bool has_room(struct http_text *text, size_t more)
{
    size_t room = text->room ? text->room : ROOM_FIRST;
    while (room - text->length < more)
        room *= 2;
    char *bytes = text->failed || room == text->room ? text->bytes : realloc(text->bytes, room);
    text->failed |= bytes == NULL;
    if (text->failed)
        return false;
    text->bytes = bytes;
    text->room = room;
    return true;
}

void http_text_add(struct http_text *text, const char *bytes, size_t length)
{
    if (!has_room(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void http_text_string(struct http_text *text, const char *string)
{
    http_text_add(text, string, strlen(string));
}

void http_text_count(struct http_text *text, uint64_t count)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + count % 10);
    while (count /= 10);
    http_text_add(text, digits + at, sizeof digits - at);
}

void http_text_seconds(struct http_text *text, uint64_t ms)
{
    unsigned rest = (unsigned)(ms % 1000);
    char digits[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)};
    if (ms == UINT64_MAX) {
        http_text_string(text, "+Inf");
        return;
    }
    http_text_count(text, ms / 1000);
    http_text_add(text, digits, rest ? sizeof digits : 0);
}

void http_text_number(struct http_text *text, double number)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.15g", number);
    http_text_string(text, digits);
}

void http_text_finish(struct http_text *text)
{
    free(text->bytes);
    *text = (struct http_text){0};
}
