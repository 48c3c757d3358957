/* The shared memory as files in /dev/shm. */
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "doctor.h"
#include "event.h"
#include "logind.h"

#define FOLDER  "/dev/shm"
#define PREFIX  "registryd."
#define USUAL   (24ull << 20) /* what 1,024 breakers take with 16 CPUs */
#define REMOUNT "mount -t tmpfs -o mode=1777 tmpfs " FOLDER

/* ---- the folder ---- */

static void folder_room(struct doctor *doctor, const struct statfs *folder)
{
    char has[SIZE_TEXT], needs[SIZE_TEXT];
    unsigned long long left = (unsigned long long)folder->f_bavail * (unsigned long long)folder->f_bsize;
    unsigned long long needed = doctor->usage.memory ? doctor->usage.memory : USUAL;
    size_text(left, has);
    size_text(needed, needs);
    if (!folder->f_blocks)
        doctor_well(doctor, FOLDER " has no limit");
    else if (left >= needed)
        doctor_well(doctor, FOLDER " has %s free", has);
    else
        doctor_ill(doctor, "mount -o remount,size=... " FOLDER " (docker run --shm-size), or a lower capacity",
                   FOLDER " has %s free, and %s %s", has,
                   doctor->usage.memory ? "a registry that replaces this one needs as much again:" : "a registry needs",
                   needs);
}

void check_folder(struct doctor *doctor)
{
    struct stat status;
    struct statfs folder;
    if (stat(FOLDER, &status) || !S_ISDIR(status.st_mode) || statfs(FOLDER, &folder)) {
        doctor_ill(doctor, REMOUNT, "there is no folder " FOLDER);
        return;
    }
    if (folder.f_type != TMPFS_MAGIC)
        doctor_ill(doctor, REMOUNT, FOLDER " is no tmpfs: what is in it may be written to a disk");
    if ((status.st_mode & 07777) != 01777)
        doctor_ill(doctor, "chmod 1777 " FOLDER, FOLDER " has mode %04o: %s", (unsigned)status.st_mode & 07777,
                   status.st_mode & S_ISVTX || !(status.st_mode & 0022) ? "only some users can have registries"
                                                                        : "others can remove a registry");
    folder_room(doctor, &folder);
}

/* ---- this registry ---- */

static bool object_look(const char *name, const char *part, struct stat *status)
{
    char path[320];
    snprintf(path, sizeof path, FOLDER "/" PREFIX "%.64s.%s", name, part);
    return lstat(path, status) == 0;
}

static void registry_start_text(const char *name, char out[256])
{
    if (strcmp(name, "default") == 0)
        strcpy(out, "systemctl start registryd, or registryd &");
    else
        snprintf(out, 256, "registryd --registry %.64s &", name);
}

void check_registry(struct doctor *doctor)
{
    struct stat panel, live;
    char remedy[256], size[SIZE_TEXT], user[EVENT_TEXT];
    bool has_panel = object_look(doctor->name, "panel", &panel), has_live = object_look(doctor->name, "live", &live);
    registry_start_text(doctor->name, remedy);
    if (doctor->error == -EACCES && has_live)
        access_remedy(&live, remedy);
    if (!has_panel && !has_live)
        doctor_ill(doctor, remedy, "there is no registry '%s': registryd has not been started", doctor->name);
    else if (!has_panel || !has_live)
        doctor_ill(doctor, "restart registryd", "registry '%s' is half gone: " FOLDER "/" PREFIX "%s.%s is missing",
                   doctor->name, doctor->name, has_panel ? "live" : "panel");
    else if (doctor->error) /* most sentences say what to do */
        doctor_ill(doctor, doctor->error == -EACCES ? remedy : "", "%s", doctor->why);
    else
        doctor_well(doctor, "registry '%s' takes %s and belongs to %s", doctor->name,
                    size_text(doctor->usage.memory, size), user_name(panel.st_uid, user));
}

/* ---- other registries ---- */

/* The registry's name in "registryd.NAME.panel"; false: it is another file. */
static bool name_cut(const char *file, const char *part, char name[64])
{
    size_t length = strlen(file), begins = strlen(PREFIX), ends = strlen(part);
    if (length <= begins + ends || length - begins - ends > 63 || strncmp(file, PREFIX, begins) != 0 ||
        strcmp(file + length - ends, part) != 0)
        return false;
    memcpy(name, file + begins, length - begins - ends);
    name[length - begins - ends] = '\0';
    return true;
}

static void other_look(struct doctor *doctor, const char *name)
{
    cb_registry *other;
    struct cb_usage usage;
    char remedy[256], size[SIZE_TEXT];
    int pid, error = cb_attach(name, &other);
    snprintf(remedy, sizeof remedy, "registryd --registry %.64s takes it over; with --purge removes it", name);
    if (!error && !cb_usage_of(other, &usage, sizeof usage) && listener_find(usage.socket, &pid) == LISTENER_NONE)
        doctor_ill(doctor, remedy, "registry '%s' takes %s, and its registryd is gone", name,
                   size_text(usage.memory, size));
    else if (error && error != -EACCES && error != CB_EOWNER && error != CB_ENODAEMON && error != CB_ENAMESPACE)
        doctor_ill(doctor, "", "registry '%s': %s", name, cb_last_error()); /* not another user's, nor a container's */
    cb_detach(&other);
}

static void file_look(struct doctor *doctor, const char *file)
{
    char name[64];
    struct stat status;
    if (name_cut(file, ".panel", name) && strcmp(name, doctor->name) != 0)
        other_look(doctor, name);
    else if (name_cut(file, ".live", name) && strcmp(name, doctor->name) != 0 && !object_look(name, "panel", &status))
        doctor_ill(doctor, "remove it", FOLDER "/%s is what is left of a registry", file);
}

void check_others(struct doctor *doctor)
{
    DIR *folder = opendir(FOLDER);
    size_t before = doctor->count;
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        file_look(doctor, entry->d_name);
    closedir(folder);
    if (doctor->count == before)
        doctor_well(doctor, "nothing is left behind by other registries");
}

/* ---- logind ---- */

void check_logind(struct doctor *doctor)
{
    struct stat panel;
    char remedy[256], user[EVENT_TEXT];
    if (!object_look(doctor->name, "panel", &panel))
        return;
    user_name(panel.st_uid, user);
    if (!logind_removes(panel.st_uid)) {
        doctor_well(doctor, "%s's shared memory outlives %s's sessions", user, user);
        return;
    }
    snprintf(remedy, sizeof remedy,
             "RemoveIPC=no in /etc/systemd/logind.conf, loginctl enable-linger %.32s, or run "
             "registryd as a system user",
             user);
    doctor_ill(doctor, remedy, "the memory belongs to %s: logind removes it when %s logs out", user, user);
}
