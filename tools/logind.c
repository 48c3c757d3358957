#include "logind.h"

#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define RUNS        "/run/systemd/seats" /* a folder of logind's */
#define LINGER      "/var/lib/systemd/linger"
#define SYSTEM_UIDS 999 /* unless login.defs says otherwise */

/* Call fn(key, value, arg) for the lines of a file that are two words with one of `between` in the middle. */
static void lines_read(const char *path, const char *between, void (*fn)(const char *, const char *, void *), void *arg)
{
    char line[512];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        char *rest = NULL, *key = strtok_r(line, between, &rest), *value = strtok_r(NULL, between, &rest);
        if (key && value)
            fn(key, value, arg);
    }
    if (file)
        fclose(file);
}

static void system_uids_take(const char *key, const char *value, void *arg)
{
    if (!strcmp(key, "SYS_UID_MAX"))
        *(unsigned long *)arg = strtoul(value, NULL, 10);
}

static void remove_ipc_take(const char *key, const char *value, void *arg)
{
    static const char *const no[] = {"no", "false", "off", "0", "n", "f"};
    if (strcmp(key, "RemoveIPC") != 0)
        return;
    *(bool *)arg = true;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (!strcasecmp(value, no[i]))
            *(bool *)arg = false;
}

/* As systemd reads it: the file, then drop-ins by their names whatever their folder; the last one counts. */
static int by_file_name(const void *a, const void *b)
{
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    return strcmp(strrchr(left, '/'), strrchr(right, '/'));
}

static bool remove_ipc(void)
{
    static const char *const folders[] = {"/usr/lib", "/lib", "/usr/local/lib", "/run", "/etc"};
    bool removes = true;
    glob_t found = {0};
    char pattern[128];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(pattern, sizeof pattern, "%s/systemd/logind.conf.d/*.conf", folders[i]);
        glob(pattern, i ? GLOB_APPEND : 0, NULL, &found);
    }
    if (found.gl_pathc)
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_file_name);
    lines_read("/etc/systemd/logind.conf", " \t=\n", remove_ipc_take, &removes);
    for (size_t i = 0; i < found.gl_pathc; i++)
        lines_read(found.gl_pathv[i], " \t=\n", remove_ipc_take, &removes);
    globfree(&found);
    return removes;
}

static bool lingers(uid_t uid)
{
    char path[256];
    const struct passwd *user = getpwuid(uid);
    if (!user)
        return false;
    snprintf(path, sizeof path, LINGER "/%s", user->pw_name);
    return access(path, F_OK) == 0;
}

bool logind_removes(uid_t uid)
{
    unsigned long system_uids = SYSTEM_UIDS;
    lines_read("/etc/login.defs", " \t\n", system_uids_take, &system_uids);
    return uid > system_uids && access(RUNS, F_OK) == 0 && remove_ipc() && !lingers(uid);
}
