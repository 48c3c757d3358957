/*
 * The writer of a state file killed where it enters or leaves any system call: the file is the old or the new one,
 * whole, and the next writer is not in any trouble with what was left.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registryd/state_file.h"
#include "tests/folder.h"
#include "tests/process/step.h"

static const char old[] = "what was there before\n", next[] = "what comes instead of it, and is longer\n";
static char folder[] = "/tmp/registryd-test-XXXXXX";
static struct state_file file;

static void start(void)
{
    char path[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state", folder);
    cr_assert(state_file_open(&file, path));
}

static void stop(void)
{
    unlinkat(file.folder, "state.new", 0);
    unlinkat(file.folder, "state", 0);
    state_file_close(&file);
    rmdir(folder);
}

TestSuite(kill_state_file, .init = start, .fini = stop);

static bool has(const char *wanted)
{
    char *content;
    size_t length;
    cr_assert_eq(state_file_read(&file, &content, &length), 0);
    bool same = length == strlen(wanted) && memcmp(content, wanted, length) == 0;
    free(content);
    return same;
}

static void write_next(void)
{
    state_file_write(&file, next, strlen(next));
}

/* Whether it came to its end. */
static bool writer_dies_at(unsigned stops)
{
    struct stepper writer;
    stepper_start(&writer, NULL, write_next);
    for (unsigned i = 0; i < stops; i++)
        stepper_to_system_call(&writer);
    bool over = writer.over;
    stepper_kill(&writer);
    return over;
}

Test(kill_state_file, leaves_the_old_or_the_new_one)
{
    unsigned stops = 0, seen_old = 0;
    for (bool over = false; !over; stops++) {
        cr_assert_eq(state_file_write(&file, old, strlen(old)), 0);
        cr_assert(folder_count(folder) == 1, "stop %u: the next writer has left something behind", stops);
        over = writer_dies_at(stops);
        bool is_old = has(old);
        cr_assert(is_old || has(next), "stop %u: neither the old nor the new one", stops);
        cr_assert(!over || !is_old, "it is done, and the old one is still there");
        seen_old += is_old;
    }
    cr_assert(seen_old > 5 && seen_old < stops - 1, "%u stops, %u of them before it was there", stops, seen_old);
    cr_log_info("killed at %u stops", stops);
}
