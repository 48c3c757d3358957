#include "registryd/state_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/segment.h"
#include "registryd/crc32.h"
#include "registryd/walltime.h"

#define MAGIC         "registryd-state "
#define CHECKSUM_SIZE 9 /* eight digits and a space */

/* ---- writing ---- */

size_t state_text_line(char out[STATE_LINE_SIZE], const char *text)
{
    return (size_t)snprintf(out, STATE_LINE_SIZE, "%08" PRIx32 " %s\n", crc32_add(0, text, strlen(text)), text);
}

static void write_line(struct state_writer *writer, const char *text)
{
    char line[STATE_LINE_SIZE];
    size_t length = state_text_line(line, text);
    writer->checksum = crc32_add(writer->checksum, line, length);
    fwrite(line, 1, length, writer->stream);
}

void state_text_begin(struct state_writer *writer, FILE *stream, const char *registry, uint64_t saved_ms)
{
    char text[STATE_ENTRY_SIZE], time[WALLTIME_SIZE];
    *writer = (struct state_writer){.stream = stream};
    walltime_format(saved_ms, time);
    snprintf(text, sizeof text, MAGIC "%d %s %s", STATE_VERSION, registry, time);
    write_line(writer, text);
}

void state_text_add(struct state_writer *writer, const struct state_entry *entry)
{
    char text[STATE_ENTRY_SIZE];
    state_entry_format(entry, text);
    write_line(writer, text);
    writer->count++;
}

void state_text_end(struct state_writer *writer)
{
    char text[STATE_ENTRY_SIZE];
    snprintf(text, sizeof text, "end %u %08" PRIx32, writer->count, writer->checksum);
    write_line(writer, text);
}

/* ---- reading ---- */

struct parse {
    const struct state_reader *reader;
    struct state_summary *summary;
    uint32_t checksum; /* of the lines before this one */
    unsigned line;     /* from 1 */
    unsigned good;     /* lines whose checksum is right */
    bool over;         /* nothing may follow: the end was there, or it is another version */
};

static void __attribute__((format(printf, 2, 3))) fault(const struct parse *parse, const char *format, ...)
{
    char what[2 * STATE_FAULT_SIZE];
    va_list arguments;
    parse->summary->faults++;
    if (parse->reader->fault == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    parse->reader->fault(parse->reader->arg, parse->line, what);
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void take_head(struct parse *parse, const char *text)
{
    struct state_summary *summary = parse->summary;
    char registry[NAME_SIZE], time[WALLTIME_SIZE], *end;
    unsigned long version = strtoul(text, &end, 10);
    if (version != STATE_VERSION) {
        fault(parse, "it is of version %lu, and this registryd reads version %d", version, STATE_VERSION);
        parse->over = true;
    } else if (sscanf(end, "%63s %39s", registry, time) == 2 && registry_name_valid(registry) &&
               walltime_parse(time, &summary->saved_ms)) {
        snprintf(summary->registry, sizeof summary->registry, "%s", registry);
    } else {
        fault(parse, "whose state it is and when it was written cannot be read");
    }
}

static void take_end(struct parse *parse, const char *text)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, "%u %08" PRIx32, parse->line - 2, parse->checksum);
    parse->over = true;
    if (strcmp(text, wanted) != 0)
        fault(parse, "the lines before it are not those that were written");
}

static void take_breaker(struct parse *parse, const char *text)
{
    struct state_entry entry;
    char why[STATE_FAULT_SIZE];
    if (!state_entry_parse(text, &entry, why)) {
        fault(parse, "%s", why);
        return;
    }
    parse->summary->entries++;
    if (parse->reader->entry)
        parse->reader->entry(parse->reader->arg, &entry, parse->summary);
}

/* As much of a damaged line as tells whose it was. */
#define SHOWN_SIZE 240
static const char *line_show(const char *line, size_t length, char shown[SHOWN_SIZE])
{
    size_t end = length < SHOWN_SIZE - 1 ? length : SHOWN_SIZE - 1;
    for (size_t i = 0; i < end; i++)
        shown[i] = (char)(line[i] >= ' ' && line[i] <= '~' ? line[i] : '?');
    shown[end] = '\0';
    return shown;
}

/* The text of a line behind its checksum, in `out`; false: it is damaged. */
static bool line_open(const char *line, size_t length, char out[STATE_ENTRY_SIZE])
{
    char digits[CHECKSUM_SIZE + 1];
    if (length < CHECKSUM_SIZE || length >= STATE_ENTRY_SIZE + CHECKSUM_SIZE || memchr(line, '\0', length))
        return false;
    snprintf(out, STATE_ENTRY_SIZE, "%.*s", (int)(length - CHECKSUM_SIZE), line + CHECKSUM_SIZE);
    snprintf(digits, sizeof digits, "%08" PRIx32 " ", crc32_add(0, out, length - CHECKSUM_SIZE));
    return memcmp(line, digits, CHECKSUM_SIZE) == 0;
}

static void take_line(struct parse *parse, const char *line, size_t length)
{
    char text[STATE_ENTRY_SIZE], shown[SHOWN_SIZE];
    if (parse->over || !line_open(line, length, text)) {
        fault(parse, "%s: %s", parse->over ? "it stands behind the end" : "it is damaged",
              line_show(line, length, shown));
        return;
    }
    parse->good++;
    if (starts(text, MAGIC) && parse->line == 1)
        take_head(parse, text + strlen(MAGIC));
    else if (starts(text, "end "))
        take_end(parse, text + strlen("end "));
    else
        take_breaker(parse, text);
}

/* Cut off or zeroed, a file of ours begins as ours do; one that never was does not. */
static bool looks_ours(const char *text, size_t length)
{
    static const char form[] = "xxxxxxxx " MAGIC;
    size_t i = 0, most = length < sizeof form - 1 ? length : sizeof form - 1;
    while (i < most && (form[i] == 'x' ? isxdigit((unsigned char)text[i]) != 0 : text[i] == form[i]))
        i++;
    return i == most || text[0] == '\0';
}

void state_text_read(const char *text, size_t length, const struct state_reader *reader, struct state_summary *summary)
{
    struct parse parse = {.reader = reader, .summary = summary};
    const char *end = text + length, *next;
    char shown[SHOWN_SIZE];
    *summary = (struct state_summary){0};
    for (const char *line = text; line < end && !(parse.over && summary->faults > 0); line = next) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        next = newline ? newline + 1 : end;
        parse.line++;
        if (newline)
            take_line(&parse, line, (size_t)(newline - line));
        else
            fault(&parse, "it is cut off: %s", line_show(line, (size_t)(end - line), shown));
        parse.checksum = crc32_add(parse.checksum, line, (size_t)(next - line));
    }
    parse.line++;
    if (!parse.over)
        fault(&parse, "the end is missing: breakers that stood behind are not known");
    summary->foreign = parse.good == 0 && !looks_ours(text, length);
}
