#include "registryd/inifile.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n\v\f"

struct reader {
    const struct inifile_visitor *visitor;
    FILE *file;
    char *text; /* getline's */
    size_t room;
    int line;
    bool pending; /* the line should be an entry, and libinih has not yet said so */
};

static void broken(const struct reader *reader, const char *what)
{
    reader->visitor->broken(reader->visitor->user, reader->line, what);
}

/* libinih passes over a line that it does not understand without a word. */
static void settle(struct reader *reader)
{
    if (reader->pending)
        broken(reader, "neither [SECTION] nor KEY = VALUE");
    reader->pending = false;
}

static void read_section(const struct reader *reader, char *text)
{
    char *end = strchr(text, ']');
    char *rest = end ? end + 1 + strspn(end + 1, BLANKS) : NULL;
    if (end == NULL || (*rest != '\0' && *rest != ';')) {
        broken(reader, end ? "something stands behind the ']'" : "a section without its ']'");
        return;
    }
    *end = '\0';
    reader->visitor->section(reader->visitor->user, reader->line, text + 1);
    *end = ']';
}

/* What libinih may see of a line: nothing of one that is broken or that was dealt with here. */
static const char *inspect(struct reader *reader, size_t length, size_t size)
{
    char *text = reader->text;
    if (strlen(text) != length) {
        broken(reader, "a NUL byte");
        return "";
    }
    if (length + 3 > size) {
        broken(reader, "the line is too long");
        return "";
    }
    if (reader->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    text += strspn(text, BLANKS);
    if (*text == '[')
        read_section(reader, text);
    else
        reader->pending = *text != '\0' && *text != ';' && *text != '#';
    return *text == '[' ? "" : text;
}

static char *next_line(char *buffer, int size, void *stream)
{
    struct reader *reader = stream;
    settle(reader);
    ssize_t length = getline(&reader->text, &reader->room, reader->file);
    if (length < 0)
        return NULL;
    reader->line++;
    snprintf(buffer, (size_t)size, "%s", inspect(reader, (size_t)length, (size_t)size));
    return buffer;
}

static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    struct reader *reader = user;
    (void)section;
    reader->pending = false;
    reader->visitor->entry(reader->visitor->user, reader->line, key, value);
    return 1;
}

int inifile_read(const char *path, const struct inifile_visitor *visitor)
{
    struct reader reader = {.visitor = visitor, .file = fopen(path, "re")};
    if (reader.file == NULL)
        return -errno;
    ini_allow_multiline = false; /* an indented key is a key, not more of the value above it */
    errno = 0;
    ini_parse_stream(next_line, &reader, take_entry, &reader);
    int error = ferror(reader.file) ? -(errno ? errno : EIO) : 0;
    free(reader.text);
    fclose(reader.file);
    return error;
}
