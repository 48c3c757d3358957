/* A state file: whatever it holds, what is taken from it is valid, can be written, and comes back as it was. */
#include <stdlib.h>
#include <string.h>

#include "core/segment.h"
#include "fuzz.h"
#include "registryd/state_text.h"

static void check_again(void *arg, const struct state_entry *entry, const struct state_summary *so_far)
{
    char wanted[STATE_ENTRY_SIZE], got[STATE_ENTRY_SIZE];
    (void)so_far;
    state_entry_format(arg, wanted);
    state_entry_format(entry, got);
    MUST_HOLD(strcmp(wanted, got) == 0);
}

static void check_written(const struct state_entry *entry)
{
    struct state_reader reader = {.entry = check_again, .arg = (void *)(uintptr_t)entry};
    struct state_summary summary;
    struct state_writer writer;
    char *text;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    state_text_begin(&writer, stream, "default", 0);
    state_text_add(&writer, entry);
    state_text_end(&writer);
    MUST_HOLD(fclose(stream) == 0);
    state_text_read(text, length, &reader, &summary);
    MUST_HOLD(summary.entries == 1 && summary.faults == 0);
    free(text);
}

static void check_entry(void *arg, const struct state_entry *entry, const struct state_summary *so_far)
{
    (void)arg, (void)so_far;
    MUST_HOLD(breaker_name_valid(entry->name, strlen(entry->name)));
    MUST_HOLD(policy_valid(&entry->policy));
    check_written(entry);
}

static void check_fault(void *arg, unsigned line, const char *what)
{
    (void)arg;
    MUST_HOLD(line > 0 && *what);
}

/* No fuzzer guesses a checksum: each line of the input gets its own. */
static char *seal_lines(const uint8_t *data, size_t size, size_t *length)
{
    char *sealed, line[STATE_LINE_SIZE], text[STATE_ENTRY_SIZE];
    FILE *stream = open_memstream(&sealed, length);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t part = (end ? (size_t)(end - data) : size) - at;
        snprintf(text, sizeof text, "%.*s", (int)part, (const char *)data + at);
        fwrite(line, 1, state_text_line(line, text), stream);
        at += part + 1;
    }
    MUST_HOLD(fclose(stream) == 0);
    return sealed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct state_reader reader = {check_entry, check_fault, NULL};
    struct state_summary summary;
    size_t length;
    char *sealed = seal_lines(data, size, &length);
    state_text_read((const char *)data, size, &reader, &summary);
    state_text_read(sealed, length, &reader, &summary);
    MUST_HOLD(summary.faults > 0 || summary.registry[0]);
    free(sealed);
    return 0;
}
