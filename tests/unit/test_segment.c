/* A registry's memory: made whole or not at all, and joined only if everything about it is right. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/object.h"
#include "core/segment.h"
#include "tests/folder.h"

static char name[64], panel_path[OBJECT_PATH_SIZE], live_path[OBJECT_PATH_SIZE], error[SEGMENT_ERROR_SIZE];
static struct segment made;

static const struct geometry small = {.capacity = 4,
                                      .stripes = 2,
                                      .worker_count = 4,
                                      .chunk_count = 8,
                                      .place_count = 16,
                                      .journal_length = 16,
                                      .event_length = 16};

/* Every test has a process of its own, so the pid tells the registries apart. */
static void begin(void)
{
    snprintf(name, sizeof name, "test-segment-%d", (int)getpid());
    object_path(panel_path, name, OBJECT_PANEL);
    object_path(live_path, name, OBJECT_LIVE);
}

static void end(void)
{
    segment_close(&made);
    unlink(panel_path);
    unlink(live_path);
}

TestSuite(segment, .init = begin, .fini = end);

static void create(void)
{
    int result = segment_create(name, &small, (gid_t)-1, "/run/x.sock", &made, error);
    cr_assert_eq(result, 0, "%d: %s", result, error);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Joining fails with `expected`, says `says`, and leaves what it found as it was. */
static void refused(int expected, const char *says)
{
    struct segment joined;
    struct stat before = {0}, after = {0};
    lstat(panel_path, &before);
    strcpy(error, "");
    int result = segment_open(name, false, &joined, error);
    cr_assert_eq(result, expected, "%d (%s) instead of %d", result, error, expected);
    cr_assert(strstr(error, says), "'%s' does not say '%s'", error, says);
    cr_assert_null(joined.panel);
    lstat(panel_path, &after);
    cr_assert_eq(before.st_size, after.st_size, "the joiner changed the panel's size");
    cr_assert_eq(before.st_ino, after.st_ino, "the joiner changed the panel's name");
}

static void accepted(void)
{
    struct segment joined;
    int result = segment_open(name, false, &joined, error);
    cr_assert_eq(result, 0, "%d: %s", result, error);
    segment_close(&joined);
}

static void scribble(const char *path, off_t offset, const void *bytes, size_t size)
{
    int fd = open(path, O_RDWR);
    cr_assert(fd >= 0 && pwrite(fd, bytes, size, offset) == (ssize_t)size);
    close(fd);
}

Test(segment, joiner_sees_what_the_creator_made)
{
    struct segment joined;
    create();
    cr_assert_eq(segment_open(name, false, &joined, error), 0, "%s", error);
    cr_assert_null(joined.panel_rw);
    cr_assert_eq(joined.capacity, small.capacity);
    cr_assert_eq(joined.stripes, small.stripes);
    cr_assert_eq(joined.worker_count, small.worker_count);
    cr_assert_eq(joined.index_length, 8);
    cr_assert_eq(joined.slot_stride, sizeof(struct slot) + 2 * sizeof(struct stripe));
    cr_assert_eq(joined.owner, geteuid());
    cr_assert_eq(joined.panel_size + joined.live_size, geometry_size(&small));
    cr_assert_str_eq(joined.panel->socket, "/run/x.sock");
    atomic_store(&segment_slot(&made, 3)->gate, 77);
    cr_assert_eq(atomic_load(&segment_slot(&joined, 3)->gate), 77);
    char *last = (char *)segment_stripe(&joined, 3, 1) + sizeof(struct stripe);
    cr_assert_eq(last, (char *)joined.live + joined.live_size, "the last stripe ends where the object does");
    segment_close(&joined);
    segment_close(&joined);
}

Test(segment, writable_joiner_may_write_the_panel)
{
    struct segment joined;
    create();
    cr_assert_eq(segment_open(name, true, &joined, error), 0, "%s", error);
    cr_assert_eq(joined.panel_rw, joined.panel);
    joined.panel_rw->next_slot = 2;
    cr_assert_eq(made.panel->next_slot, 2);
    segment_close(&joined);
}

Test(segment, worker_cannot_write_the_panel)
{
    struct segment joined;
    create();
    cr_assert_eq(segment_open(name, false, &joined, error), 0, "%s", error);
    int fd = open("/dev/zero", O_RDONLY);
    cr_assert_eq(read(fd, (void *)&joined.panel->socket, 1), -1, "the kernel may write it for us");
    cr_assert_eq(errno, EFAULT);
    cr_assert_eq(read(fd, &joined.live->journal_head, 8), 8);
    close(fd);
    segment_close(&joined);
}

Test(segment, modes_are_exact_whatever_the_umask)
{
    struct stat panel, live;
    umask(0777);
    create();
    cr_assert(stat(panel_path, &panel) == 0 && stat(live_path, &live) == 0);
    cr_assert_eq(panel.st_mode & 07777, 0600);
    cr_assert_eq(live.st_mode & 07777, 0600);
}

/* A hole would be a SIGBUS in a worker on the day that /dev/shm is full. */
Test(segment, all_pages_are_there)
{
    struct stat live;
    create();
    cr_assert_eq(stat(live_path, &live), 0);
    cr_assert_eq(live.st_size, (off_t)made.live_size);
    cr_assert_geq(live.st_blocks * 512, live.st_size);
}

Test(segment, a_group_reads_the_panel_and_writes_live)
{
    struct stat panel, live;
    gid_t group = getegid();
    umask(0077);
    cr_assert_eq(segment_create(name, &small, group, "", &made, error), 0, "%s", error);
    cr_assert(stat(panel_path, &panel) == 0 && stat(live_path, &live) == 0);
    cr_assert_eq(panel.st_mode & 07777, 0640);
    cr_assert_eq(live.st_mode & 07777, 0660);
    cr_assert_eq(panel.st_gid, group);
    cr_assert_eq(live.st_gid, group);
    accepted();
}

Test(segment, an_existing_registry_is_never_overwritten)
{
    struct segment second;
    create();
    cr_assert_eq(segment_create(name, &small, (gid_t)-1, "", &second, error), -EEXIST);
    cr_assert(strstr(error, name));
    cr_assert_null(second.panel);
    accepted();
}

Test(segment, what_a_dead_creator_left_is_replaced)
{
    create();
    segment_close(&made);
    unlink(panel_path); /* it died between live and panel */
    create();
    accepted();
}

Test(segment, a_living_creator_is_left_alone)
{
    struct segment second;
    create();
    unlink(panel_path); /* it is between live and panel, and holds its lock */
    int fd = open(live_path, O_RDWR);
    cr_assert_eq(flock(fd, LOCK_EX), 0);
    cr_assert_eq(segment_create(name, &small, (gid_t)-1, "", &second, error), -EEXIST);
    cr_assert(exists(live_path));
    close(fd);
}

Test(segment, another_panel_alone_is_left_alone)
{
    struct segment second;
    create();
    unlink(live_path);
    cr_assert_eq(segment_create(name, &small, (gid_t)-1, "", &second, error), -EEXIST);
    cr_assert(exists(panel_path) && !exists(live_path), "nothing half-made stays");
    refused(SEGMENT_ECORRUPT, "is missing");
}

Test(segment, bad_names_and_geometries)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "a b", "a\n", "a:b", "\xc3\xa9"};
    struct segment none;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert(!registry_name_valid(bad[i]), "'%s'", bad[i]);
        cr_assert_eq(segment_create(bad[i], &small, (gid_t)-1, "", &none, error), SEGMENT_ENAME);
        cr_assert_eq(segment_open(bad[i], false, &none, error), SEGMENT_ENAME);
    }
    struct geometry wrong[8] = {small, small, small, small, small, small, small, small};
    wrong[0].capacity = 0;
    wrong[1].capacity = 65537;
    wrong[2].stripes = 257;
    wrong[3].worker_count = 0;
    wrong[4].chunk_count = UINT32_MAX;
    wrong[5].place_count = UINT32_MAX;
    wrong[6].journal_length = 12;
    wrong[7].event_length = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(geometry_size(&wrong[i]), 0, "%zu", i);
        cr_assert_eq(segment_create(name, &wrong[i], (gid_t)-1, "", &none, error), -EINVAL, "%zu", i);
    }
    char path[PATH_SIZE + 1];
    memset(path, 'x', PATH_SIZE);
    path[PATH_SIZE] = '\0';
    cr_assert_eq(segment_create(name, &small, (gid_t)-1, path, &none, error), -EINVAL);
    cr_assert(!exists(panel_path) && !exists(live_path));
}

Test(segment, names_by_length)
{
    static char longest[10001];
    memset(longest, 'n', 10000);
    cr_assert(!registry_name_valid(longest) && !breaker_name_valid(longest, 10000));
    longest[64] = '\0';
    cr_assert(!registry_name_valid(longest) && !breaker_name_valid(longest, 64));
    longest[63] = '\0';
    cr_assert(registry_name_valid(longest) && breaker_name_valid(longest, 63));
    cr_assert(!breaker_name_valid("", 0));
    cr_assert(breaker_name_valid("a.B_9:/@-", 9));
    cr_assert(!breaker_name_valid("a\0b", 3));
    cr_assert(!breaker_name_valid("a\n", 2));
    cr_assert(!breaker_name_valid("a b", 3));
}

Test(segment, absent)
{
    refused(SEGMENT_EABSENT, "start registryd");
}

Test(segment, every_header_field_is_checked)
{
    static const struct {
        size_t offset, size;
        int expected;
        const char *says;
    } fields[] = {
#define FIELD(member, expected, says)                                                                                  \
    {offsetof(struct panel_header, member), sizeof(((struct panel_header *)0)->member), expected, says}
        FIELD(magic, SEGMENT_ECORRUPT, "begins with"),
        FIELD(version, SEGMENT_EVERSION, "version 1"),
        FIELD(layout_hash, SEGMENT_ELAYOUT, "layout hash"),
        FIELD(identity, SEGMENT_ECORRUPT, "belong together"),
        FIELD(pid_namespace, SEGMENT_ENAMESPACE, "PID namespace"),
        FIELD(time_namespace, SEGMENT_ENAMESPACE, "time namespace"),
        FIELD(clock_id, SEGMENT_ELAYOUT, "clock"),
        FIELD(capacity, SEGMENT_ECORRUPT, "contradict"),
        FIELD(stripes, SEGMENT_ECORRUPT, "contradict"),
        FIELD(worker_count, SEGMENT_ECORRUPT, "contradict"),
        FIELD(chunk_count, SEGMENT_ECORRUPT, "contradict"),
        FIELD(place_count, SEGMENT_ECORRUPT, "contradict"),
        FIELD(journal_length, SEGMENT_ECORRUPT, "contradict"),
        FIELD(index_length, SEGMENT_ECORRUPT, "contradict"),
        FIELD(event_length, SEGMENT_ECORRUPT, "contradict"),
        FIELD(event_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(index_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(control_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(panel_size, SEGMENT_ECORRUPT, "contradict"),
        FIELD(worker_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(owner_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(chunk_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(place_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(journal_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(slot_offset, SEGMENT_ECORRUPT, "contradict"),
        FIELD(slot_stride, SEGMENT_ECORRUPT, "contradict"),
        FIELD(live_size, SEGMENT_ECORRUPT, "contradict"),
        FIELD(socket, SEGMENT_ECORRUPT, "socket"),
    };
    create();
    const struct panel_header whole = *made.panel;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        unsigned char bytes[PATH_SIZE];
        memset(bytes, 0xff, sizeof bytes); /* where counts and sizes would overflow */
        scribble(panel_path, (off_t)fields[i].offset, bytes, fields[i].size);
        refused(fields[i].expected, fields[i].says);
        memcpy(bytes, (const char *)&whole + fields[i].offset, fields[i].size);
        bytes[0] ^= 1; /* and where they are only just wrong */
        scribble(panel_path, (off_t)fields[i].offset, bytes, fields[i].size);
        if (strcmp(fields[i].says, "socket") != 0)
            refused(fields[i].expected, fields[i].says);
        scribble(panel_path, (off_t)fields[i].offset, (const char *)&whole + fields[i].offset, fields[i].size);
    }
    accepted();
}

Test(segment, other_byte_order)
{
    create();
    uint64_t swapped = __builtin_bswap64(LAYOUT_MAGIC);
    scribble(panel_path, 0, &swapped, sizeof swapped);
    refused(SEGMENT_ELAYOUT, "byte order");
}

Test(segment, an_older_version_with_a_shorter_header_is_called_by_its_name)
{
    uint32_t old = 0;
    create();
    scribble(panel_path, offsetof(struct panel_header, version), &old, sizeof old);
    cr_assert_eq(truncate(panel_path, 64), 0);
    refused(SEGMENT_EVERSION, "version 0");
}

Test(segment, wrong_lengths)
{
    create();
    off_t panel_size = (off_t)made.panel_size, live_size = (off_t)made.live_size;
    const off_t panel_lengths[] = {panel_size + 4096, panel_size - 1, sizeof(struct panel_header) - 1, 20, 15, 8, 0};
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(truncate(live_path, i ? live_size - 1 : live_size + 1), 0);
        refused(SEGMENT_ECORRUPT, "live object");
    }
    cr_assert_eq(truncate(live_path, live_size), 0);
    accepted();
    for (size_t i = 0; i < sizeof panel_lengths / sizeof *panel_lengths; i++) {
        cr_assert_eq(truncate(panel_path, panel_lengths[i]), 0);
        refused(SEGMENT_ECORRUPT, "the panel");
    }
}

Test(segment, live_of_another_registry)
{
    uint64_t other = 1;
    create();
    scribble(live_path, offsetof(struct live_header, identity), &other, sizeof other);
    refused(SEGMENT_ECORRUPT, "belong together");
    scribble(live_path, offsetof(struct live_header, magic), &other, sizeof other);
    refused(SEGMENT_ECORRUPT, "belong together");
}

Test(segment, others_may_not_write)
{
    create();
    chmod(panel_path, 0602);
    refused(SEGMENT_EOWNER, "0602");
    chmod(panel_path, 0660);
    refused(SEGMENT_EOWNER, "0660");
    chmod(panel_path, 0644);
    accepted();
    chmod(live_path, 0662);
    refused(SEGMENT_EOWNER, "0662");
    chmod(live_path, 0660);
    accepted();
}

Test(segment, memory_of_another_user)
{
    if (geteuid() != 0)
        cr_skip_test("needs root"); /* before anything is made: a skipped test is not cleaned up after */
    create();
    cr_assert_eq(chown(panel_path, 12345, (gid_t)-1), 0);
    refused(SEGMENT_EOWNER, "uid 12345");
    cr_assert_eq(chown(panel_path, 0, (gid_t)-1), 0);
    cr_assert_eq(chown(live_path, 12345, (gid_t)-1), 0);
    refused(SEGMENT_EOWNER, "uid 12345");
}

/* In a child, as another user: 0 if all is as it should be. */
static int join_as_member(void)
{
    struct segment joined;
    if (setgid(54321) != 0 || setuid(12345) != 0)
        return 1;
    if (segment_open(name, false, &joined, error) != 0)
        return 2;
    segment_close(&joined);
    return segment_open(name, true, &joined, error) == -EACCES ? 0 : 3;
}

/* Root's panel, and a live object of this user's own making: each would do, the two together do not. */
static int join_with_live_of_own(void)
{
    struct segment joined;
    if (chown(live_path, 12345, (gid_t)-1) != 0)
        return 4;
    int result = join_as_member();
    if (result != 2)
        return 5;
    return segment_open(name, false, &joined, error) == SEGMENT_EOWNER && strstr(error, "two objects") ? 0 : 6;
}

static int in_child(int (*part)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(part());
    waitpid(child, &status, 0);
    return status;
}

Test(segment, a_member_joins_but_may_not_write_the_panel)
{
    if (geteuid() != 0)
        cr_skip_test("needs root");
    cr_assert_eq(segment_create(name, &small, 54321, "", &made, error), 0, "%s", error);
    cr_assert_eq(in_child(join_as_member), 0);
    cr_assert_eq(in_child(join_with_live_of_own), 0);
}

Test(segment, no_shared_memory_at_all)
{
    create();
    unlink(panel_path);
    cr_assert_eq(symlink(live_path, panel_path), 0);
    refused(SEGMENT_EOWNER, "symbolic link");
    unlink(panel_path);
    cr_assert_eq(mkfifo(panel_path, 0600), 0);
    refused(SEGMENT_EOWNER, "no shared memory");
    unlink(panel_path);
    cr_assert_eq(mkdir(panel_path, 0700), 0);
    refused(SEGMENT_EOWNER, "no shared memory");
    rmdir(panel_path);
}

Test(segment, retired)
{
    struct segment joined;
    create();
    cr_assert_eq(segment_open(name, false, &joined, error), 0);
    atomic_store(&made.panel_rw->retired, 1);
    refused(SEGMENT_ERETIRED, "replaced");
    segment_retire(name, &made);
    cr_assert_eq(atomic_load(&joined.panel->retired), 1, "who has it mapped sees it");
    cr_assert(!exists(panel_path) && !exists(live_path));
    refused(SEGMENT_EABSENT, "start registryd");
    segment_close(&joined);
    segment_close(&made);
    create();
    accepted();
}

/* A /dev/shm of our own, which nobody else sees. */
static void own_shm(const char *options)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/dev/shm", "tmpfs", 0, options) != 0)
        cr_skip_test("needs to mount");
}

Test(segment, too_small_a_dev_shm)
{
    static const char *const sizes[] = {"size=4k", "size=64k"}; /* too small for the panel, for live */
    struct geometry geometry = {2, 4, 64, 64, 64, 1024, 16};
    for (size_t i = 0; i < 2; i++) {
        own_shm(sizes[i]);
        cr_assert_eq(segment_create(name, &geometry, (gid_t)-1, "", &made, error), -ENOSPC, "%s", error);
        cr_assert(strstr(error, "needs") && strstr(error, "free") && strstr(error, "capacity"), "%s", error);
        cr_assert_eq(folder_count("/dev/shm"), 0, "nothing half-made");
        umount("/dev/shm");
    }
}

Test(segment, private_memory)
{
    struct segment other;
    cr_assert_eq(segment_private(&small, &made), 0);
    cr_assert_eq(segment_private(&small, &other), 0);
    cr_assert_eq(made.panel_rw, made.panel);
    cr_assert_null(made.virtual_ms);
    atomic_store(&segment_slot(&made, 0)->gate, 1);
    cr_assert_eq(atomic_load(&segment_slot(&other, 0)->gate), 0);
    cr_assert(!exists(panel_path));
    segment_close(&other);
    struct geometry wrong = small;
    wrong.capacity = 0;
    cr_assert_eq(segment_private(&wrong, &other), -EINVAL);
    segment_close(&other);
}

Test(segment, default_geometry)
{
    struct geometry geometry;
    geometry_default(&geometry, 1024);
    cr_assert(geometry.stripes >= 1 && geometry.stripes <= 64);
    cr_assert_eq(geometry.stripes & (geometry.stripes - 1), 0);
    cr_assert_eq(geometry.place_count, 65536);
    geometry_default(&geometry, 1);
    cr_assert_eq(geometry.place_count, 1024);
    geometry_default(&geometry, 65536);
    cr_assert_eq(geometry.place_count, 1u << 20);
    cr_assert_gt(geometry_size(&geometry), 0);
}

Test(segment, no_descriptor_stays_open)
{
    struct segment joined;
    unsigned before = folder_count("/proc/self/fd");
    create();
    cr_assert_eq(segment_open(name, false, &joined, error), 0);
    uint32_t version = 9;
    scribble(panel_path, offsetof(struct panel_header, version), &version, sizeof version);
    refused(SEGMENT_EVERSION, "version 9");
    cr_assert_eq(folder_count("/proc/self/fd"), before);
    segment_close(&joined);
}
