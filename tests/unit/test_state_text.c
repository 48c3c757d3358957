/* A state file's text: what is written comes back; what is damaged is told, and the rest is still good. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/state_breaker.h"
#include "registryd/state_text.h"
#include "registryd/walltime.h"

#define SAVED_MS UINT64_C(1795253400250)

struct heard {
    struct state_entry entries[8];
    unsigned count, faults, last_line;
    char fault[2 * STATE_FAULT_SIZE];
    struct state_summary summary;
};

static void hear_entry(void *arg, const struct state_entry *entry, const struct state_summary *so_far)
{
    struct heard *heard = arg;
    (void)so_far;
    cr_assert(heard->count < 8);
    heard->entries[heard->count++] = *entry;
}

static void hear_fault(void *arg, unsigned line, const char *what)
{
    struct heard *heard = arg;
    heard->last_line = line;
    if (heard->faults++ == 0)
        snprintf(heard->fault, sizeof heard->fault, "%s", what);
}

static struct heard *hear(const char *text, size_t length)
{
    static struct heard heard;
    struct state_reader reader = {hear_entry, hear_fault, &heard};
    memset(&heard, 0, sizeof heard);
    state_text_read(text, length, &reader, &heard.summary);
    cr_assert_eq(heard.summary.faults, heard.faults);
    cr_assert_eq(heard.summary.entries, heard.count);
    return &heard;
}

/* ---- what is written ---- */

enum { ENTRIES = 4 };
static struct state_entry entries[ENTRIES];
static char *text;
static size_t length;

static struct state_entry entry_of(const char *name, const char *policy)
{
    struct state_entry entry;
    char error[POLICY_ERROR_SIZE];
    memset(&entry, 0, sizeof entry);
    snprintf(entry.name, sizeof entry.name, "%s", name);
    cr_assert_eq(policy_parse(policy, &entry.policy, error), 0, "%s", error);
    return entry;
}

static void write_text(void)
{
    struct state_writer writer;
    FILE *stream = open_memstream(&text, &length);
    state_text_begin(&writer, stream, "default", SAVED_MS);
    for (int i = 0; i < ENTRIES; i++)
        state_text_add(&writer, &entries[i]);
    state_text_end(&writer);
    cr_assert_eq(fclose(stream), 0);
}

static void start(void)
{
    entries[0] = entry_of("plain", "");
    entries[1] = entry_of("payments", "failure_threshold=3 backoff_multiplier=2");
    entries[1].state = STATE_OPEN;
    entries[1].until_ms = SAVED_MS + 12345;
    entries[1].attempt = 31;
    entries[2] = entry_of("a:b/c@d", "window=time:10s failure_rate_threshold=50");
    entries[2].state = STATE_FORCED_OPEN;
    entries[2].until_ms = SAVED_MS + 1;
    entries[2].uid = UINT32_MAX;
    entries[2].pid = 4711;
    strcpy(entries[2].reason, "ticket 4711: state=open reason=gr\xc3\xbc\xc3\x9f ");
    entries[3] = entry_of("no-end", "");
    entries[3].state = STATE_DISABLED;
    entries[3].creator_uid = 1000;
    write_text();
}

static void stop(void)
{
    free(text);
}

TestSuite(state_text, .init = start, .fini = stop);

static bool is_same(const struct state_entry *left, const struct state_entry *right)
{
    char texts[2][STATE_ENTRY_SIZE];
    state_entry_format(left, texts[0]);
    state_entry_format(right, texts[1]);
    return strcmp(texts[0], texts[1]) == 0;
}

static bool is_written(const struct state_entry *entry)
{
    for (int i = 0; i < ENTRIES; i++)
        if (is_same(entry, &entries[i]))
            return true;
    return false;
}

/* ---- tests ---- */

Test(state_text, comes_back_as_it_was)
{
    const struct heard *heard = hear(text, length);
    cr_expect(heard->faults == 0 && heard->count == ENTRIES, "line %u: %s", heard->last_line, heard->fault);
    for (int i = 0; i < ENTRIES; i++)
        cr_expect(is_same(&heard->entries[i], &entries[i]), "%s", entries[i].name);
    cr_expect_str_eq(heard->summary.registry, "default");
    cr_expect_eq(heard->summary.saved_ms, SAVED_MS);
}

Test(state_text, can_be_read_by_people)
{
    cr_expect(strstr(text, "registryd-state 1 default 2026-11-21T09:30:00.250Z\n"), "%s", text);
    cr_expect(strstr(text, "breaker payments creator=0 state=open until=2026-11-21T09:30:12.595Z attempt=31 "
                           "failure_threshold=3 backoff_multiplier=2\n"),
              "%s", text);
    cr_expect(strstr(text, "breaker no-end creator=1000 state=disabled uid=0 pid=0\n"), "%s", text);
}

Test(state_text, cut_off_at_any_byte_keeps_what_stands_before)
{
    for (size_t kept = 0; kept < length; kept++) {
        char *part = strndup(text, kept); /* so that a sanitizer sees a byte read too many */
        const struct heard *heard = hear(part, kept);
        unsigned lines = 0;
        for (size_t i = 0; i < kept; i++)
            lines += part[i] == '\n';
        unsigned whole = lines == 0 ? 0 : lines - 1 > ENTRIES ? ENTRIES : lines - 1;
        cr_expect_eq(heard->count, whole, "%zu bytes: %u of %u breakers", kept, heard->count, whole);
        cr_expect(heard->faults > 0 && !heard->summary.foreign, "%zu bytes: %u faults", kept, heard->faults);
        free(part);
    }
}

/* A flipped end of a line takes the next line with it. */
Test(state_text, any_flipped_bit_costs_its_line_and_no_other)
{
    for (size_t bit = 0; bit < length * 8; bit++) {
        char *copy = strndup(text, length);
        bool ends_line = copy[bit / 8] == '\n';
        ((unsigned char *)copy)[bit / 8] ^= (unsigned char)(1u << bit % 8);
        const struct heard *heard = hear(copy, length);
        cr_expect(heard->faults > 0 && !heard->summary.foreign, "bit %zu is not noticed", bit);
        cr_expect(heard->count >= ENTRIES - (ends_line ? 2u : 1u), "bit %zu: %u breakers", bit, heard->count);
        for (unsigned i = 0; i < heard->count; i++)
            cr_expect(is_written(&heard->entries[i]), "bit %zu: another breaker than any that was written", bit);
        free(copy);
    }
}

Test(state_text, a_line_that_is_missing_or_there_twice_is_noticed)
{
    char *copy = calloc(1, 2 * length), *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
    sprintf(copy, "%.*s%s", (int)(second - text), text, third);
    cr_expect(hear(copy, strlen(copy))->faults == 1);
    sprintf(copy, "%.*s%s", (int)(third - text), text, second);
    cr_expect(hear(copy, strlen(copy))->faults == 1);
    sprintf(copy, "%s%s", text, second);
    const struct heard *heard = hear(copy, strlen(copy));
    cr_expect(heard->faults == 1 && heard->count == ENTRIES && strstr(heard->fault, "behind the end"), "%s",
              heard->fault);
    free(copy);
}

static const struct heard *hear_lines(const char *const *lines, size_t count)
{
    char content[8 * STATE_LINE_SIZE];
    size_t size = 0;
    cr_assert(count <= 8);
    for (size_t i = 0; i < count; i++)
        size += state_text_line(content + size, lines[i]);
    return hear(content, size);
}

Test(state_text, another_version_is_not_read_any_further)
{
    static const char *const lines[] = {"registryd-state 2 default 2026-11-21T09:30:00.250Z", "breaker plain",
                                        "end 1 00000000"};
    const struct heard *heard = hear_lines(lines, 3);
    cr_expect(heard->count == 0 && heard->faults == 1 && !heard->summary.foreign);
    cr_expect(strstr(heard->fault, "version 2"), "%s", heard->fault);
}

Test(state_text, what_cannot_be_a_breaker_is_said_with_its_reason)
{
    static const struct {
        const char *line, *said;
    } bad[] = {
        {"breaker two,words", "names no breaker"},
        {"colour blue", "names no breaker"},
        {"breaker a state=half-open", "half-open"},
        {"breaker a state=closed", "closed"},
        {"breaker a state=open attempt=1", "until"},
        {"breaker a state=open until=soon", "soon"},
        {"breaker a state=open until=2026-13-21T09:30:00.250Z", "2026-13"},
        {"breaker a state=open until=2026-11-21T09:30:00.250Z attempt=32", "32"},
        {"breaker a state=open until=2026-11-21T09:30:00.250Z attempt=1 uid=0", "uid"},
        {"breaker a state=disabled uid=-1", "-1"},
        {"breaker a state=disabled uid=4294967296", "4294967296"},
        {"breaker a failure_threshold=many", "failure_threshold"},
        {"breaker a colour=blue", "colour"},
        {"breaker a reason=\xff", "reason"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *lines[] = {"registryd-state 1 default 2026-11-21T09:30:00.250Z", bad[i].line, "breaker good"};
        const struct heard *heard = hear_lines(lines, 3);
        cr_expect(strstr(heard->fault, bad[i].said), "%s: %s", bad[i].line, heard->fault);
        cr_expect(heard->count == 1 && strcmp(heard->entries[0].name, "good") == 0, "%s", bad[i].line);
    }
}

Test(state_text, nothing_and_zeros_are_a_damaged_file_and_others_are_none)
{
    static const char zeros[4096], ini[] = "[registryd]\ncapacity = 16\n", passwd[] = "root:x:0:0:root:/root:/bin/sh\n";
    cr_expect(hear("", 0)->faults == 1 && !hear("", 0)->summary.foreign);
    cr_expect(hear(zeros, sizeof zeros)->faults > 0 && !hear(zeros, sizeof zeros)->summary.foreign);
    cr_expect(hear(ini, strlen(ini))->summary.foreign);
    cr_expect(hear(passwd, strlen(passwd))->summary.foreign);
}

static void count_entry(void *arg, const struct state_entry *entry, const struct state_summary *so_far)
{
    (void)entry, (void)so_far;
    ++*(unsigned *)arg;
}

Test(state_text, as_many_breakers_as_there_can_be)
{
    unsigned count = 0;
    struct state_reader reader = {.entry = count_entry, .arg = &count};
    struct state_summary summary;
    struct state_writer writer;
    free(text);
    FILE *stream = open_memstream(&text, &length);
    state_text_begin(&writer, stream, "default", SAVED_MS);
    for (int i = 0; i < CAPACITY_MAX; i++)
        state_text_add(&writer, &entries[2]);
    state_text_end(&writer);
    cr_assert_eq(fclose(stream), 0);
    state_text_read(text, length, &reader, &summary);
    cr_expect(count == CAPACITY_MAX && summary.faults == 0, "%u breakers, %u faults", count, summary.faults);
}

/* ---- time ---- */

Test(state_time, times_are_read_exactly)
{
    static const char *const bad[] = {"",
                                      "2026-11-21",
                                      "2026-11-21T09:30:00Z",
                                      "2026-11-21T09:30:00.25Z",
                                      "2026-11-21T09:30:00.250",
                                      "2026-11-21T09:30:00.250Z ",
                                      "2026-02-30T00:00:00.000Z",
                                      "1969-12-31T23:59:59.999Z",
                                      "12026-11-21T09:30:00.250Z"};
    char again[WALLTIME_SIZE];
    uint64_t ms;
    cr_expect(walltime_parse("2026-11-21T09:30:00.250Z", &ms) && ms == SAVED_MS, "%llu", (unsigned long long)ms);
    walltime_format(ms, again);
    cr_expect_str_eq(again, "2026-11-21T09:30:00.250Z");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!walltime_parse(bad[i], &ms), "%s", bad[i]);
}

/* The clock of a host that comes up may be years off, in both directions. */
Test(state_time, what_is_left_is_never_more_than_it_was)
{
    enum { YEAR_S = 31536000 };
    const uint64_t year = YEAR_S * UINT64_C(1000);
    struct state_entry entry = {.state = STATE_FORCED_OPEN, .until_ms = SAVED_MS + 600000};
    cr_expect_eq(state_breaker_left_ms(&entry, SAVED_MS, SAVED_MS + 100000), 500000);
    cr_expect_eq(state_breaker_left_ms(&entry, SAVED_MS, SAVED_MS + 600000), 0);
    cr_expect_eq(state_breaker_left_ms(&entry, SAVED_MS, SAVED_MS + year), 0);
    cr_expect_eq(state_breaker_left_ms(&entry, SAVED_MS, SAVED_MS - year), 600000);
    cr_expect_eq(state_breaker_left_ms(&entry, 0, SAVED_MS - year), POLICY_MAX_MS);
    entry.state = STATE_OPEN;
    entry.policy.max_open_timeout_ms = 300000;
    cr_expect_eq(state_breaker_left_ms(&entry, SAVED_MS, SAVED_MS), 300000);
}
