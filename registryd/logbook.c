#define SD_JOURNAL_SUPPRESS_LOCATION /* ours would be the same for every entry */
#include "registryd/logbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "registryd/log.h"

#define FIELDS_MAX 12
#define FIELD_SIZE 1040

static const char *registry_name = "";

/* JOURNAL_STREAM names the device and inode of what systemd made our stderr; somebody may have turned it elsewhere. */
static bool is_journal(void)
{
    unsigned long long device, inode;
    struct stat status;
    const char *stream = getenv("JOURNAL_STREAM");
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &status) == 0 &&
           status.st_dev == device && status.st_ino == inode;
}

/* An entry in the making: every field is a text of its own, "KEY=value". */
struct entry {
    char texts[FIELDS_MAX][FIELD_SIZE];
    struct iovec parts[FIELDS_MAX];
    int count;
};

static void entry_add(struct entry *entry, const char *key, const char *value)
{
    if (*value == '\0' || entry->count == FIELDS_MAX)
        return;
    char *text = entry->texts[entry->count];
    snprintf(text, FIELD_SIZE, "%s=%s", key, value);
    entry->parts[entry->count++] = (struct iovec){text, strlen(text)};
}

static bool logbook_send(int priority, const struct log_field *fields, size_t count, const char *message)
{
    struct entry entry;
    char number[12];
    entry.count = 0;
    snprintf(number, sizeof number, "%d", priority);
    entry_add(&entry, "MESSAGE", message);
    entry_add(&entry, "PRIORITY", number);
    entry_add(&entry, "SYSLOG_IDENTIFIER", "registryd");
    entry_add(&entry, "CB_REGISTRY", registry_name);
    for (size_t i = 0; i < count; i++)
        entry_add(&entry, fields[i].key, fields[i].value);
    return sd_journal_sendv(entry.parts, entry.count) == 0;
}

void logbook_registry(const char *registry)
{
    registry_name = registry;
}

void logbook_open(void)
{
    if (is_journal())
        log_to(logbook_send);
}
