/*
 * Writing a state file, with system calls that fail: what was there stays, nothing else is left behind, and the name
 * changes only after the content is on the disk. The calls are this program's own, which libc's stand behind.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "registryd/state_file.h"

static struct {
    bool watched;
    char order[16]; /* a letter a call: w, s, r */
    int fail_at, error, count;
} calls;

static bool fails(char letter)
{
    if (!calls.watched)
        return false;
    calls.order[calls.count] = letter;
    errno = calls.error;
    return calls.count++ == calls.fail_at;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those of libc are reserved */

ssize_t write(int fd, const void *bytes, size_t length)
{
    return fails('w') ? -1 : syscall(SYS_write, fd, bytes, length);
}

int fsync(int fd)
{
    return fails('s') ? -1 : (int)syscall(SYS_fsync, fd);
}

int renameat(int from, const char *old, int to, const char *next)
{
    return fails('r') ? -1 : (int)syscall(SYS_renameat2, from, old, to, next, 0);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static char folder[] = "/tmp/registryd-test-XXXXXX";
static struct state_file file;

static void start(void)
{
    char path[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state", folder);
    cr_assert(state_file_open(&file, path));
    cr_assert_eq(state_file_write(&file, "old", 3), 0);
}

static void stop(void)
{
    unlinkat(file.folder, "state", 0);
    state_file_close(&file);
    cr_expect_eq(rmdir(folder), 0, "something is left in the folder");
}

TestSuite(state_file, .init = start, .fini = stop);

/* Write "new" while the call of that number fails; -1: none. */
static int write_failing(int fail_at, int error)
{
    memset(&calls, 0, sizeof calls);
    calls.fail_at = fail_at;
    calls.error = error;
    calls.watched = true;
    int result = state_file_write(&file, "new", 3);
    calls.watched = false;
    return result;
}

static void expect_content(const char *wanted)
{
    char *content = NULL;
    size_t length;
    cr_assert_eq(state_file_read(&file, &content, &length), 0);
    cr_expect_str_eq(content, wanted);
    free(content);
}

Test(state_file, has_its_name_when_it_is_on_the_disk_and_then_the_name_is)
{
    cr_expect_eq(write_failing(-1, 0), 0);
    cr_expect_str_eq(calls.order, "wsrs");
    expect_content("new");
}

Test(state_file, stays_when_there_is_no_room_or_the_disk_fails)
{
    for (int call = 0; call < 3; call++) {
        cr_expect_eq(write_failing(call, call == 0 ? ENOSPC : EIO), call == 0 ? -ENOSPC : -EIO);
        expect_content("old");
        cr_expect(faccessat(file.folder, "state.new", F_OK, 0) < 0, "what was written is left");
    }
}

/* It is there, and nobody knows for how long: not good, and written again. */
Test(state_file, is_not_good_until_its_name_is_on_the_disk)
{
    cr_expect_eq(write_failing(3, EIO), -EIO);
    expect_content("new");
}

Test(state_file, that_is_kept_is_not_written_over)
{
    char kept[STATE_PATH_SIZE];
    cr_assert_eq(state_file_keep(&file, kept), 0);
    cr_assert_eq(state_file_write(&file, "new", 3), 0);
    expect_content("new");
    FILE *stream = fopen(kept, "re");
    char content[8] = "";
    cr_assert(stream && fread(content, 1, sizeof content - 1, stream) == 3);
    fclose(stream);
    cr_expect_str_eq(content, "old");
    unlink(kept);
}
