/* The daemon behind a registry. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "doctor.h"
#include "event.h"

/* ---- who listens ---- */

bool process_look(int pid, char name[32], char *state)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    bool read = file && fscanf(file, "%*d (%31[^)]) %c", name, state) == 2;
    if (file)
        fclose(file);
    return read;
}

/* A socket that systemd made is systemd's, whoever accepts on it. */
static int listener_pid(int fd)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    char name[32], state;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) || !process_look(credentials.pid, name, &state))
        return 0;
    return !strcmp(name, "registryd") ? credentials.pid : 0;
}

enum listener listener_find(const char *path, int *pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *pid = 0;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int error = connect(fd, (const struct sockaddr *)&address, sizeof address) ? errno : 0;
    if (!error)
        *pid = listener_pid(fd);
    close(fd);
    if (error == EACCES || error == EPERM)
        return LISTENER_DENIED;
    return error && error != EAGAIN ? LISTENER_NONE : LISTENER_THERE; /* EAGAIN: more wait for it than it takes */
}

/* ---- the daemon ---- */

static void daemon_silent(struct doctor *doctor, int pid)
{
    char name[32], state = '?', remedy[256];
    bool known = pid && process_look(pid, name, &state);
    if (known && (state == 'T' || state == 't')) {
        snprintf(remedy, sizeof remedy, "kill -CONT %d", pid);
        doctor_ill(doctor, remedy, "registryd (pid %d) is stopped%s", pid, state == 't' ? " by a debugger" : "");
        return;
    }
    snprintf(remedy, sizeof remedy, "see its log, then restart it: the memory stays");
    if (known)
        doctor_ill(doctor, remedy, "registryd (pid %d, state %c) does not answer", pid, state);
    else
        doctor_ill(doctor, remedy, "something listens at %s and does not answer", doctor->usage.socket);
}

void check_daemon(struct doctor *doctor)
{
    int pid;
    char remedy[256] = "systemctl start registryd, or registryd &";
    if (strcmp(doctor->name, "default") != 0)
        snprintf(remedy, sizeof remedy, "registryd --registry %.64s &", doctor->name);
    enum listener listener = listener_find(doctor->usage.socket, &pid);
    if (doctor->answers)
        doctor_well(doctor, "registryd %s answers at %s", doctor->version, doctor->usage.socket);
    else if (listener == LISTENER_NONE)
        doctor_ill(doctor, remedy,
                   "registryd is not running: breakers work on, but nothing can be changed, and calls of processes "
                   "that die stay in flight");
    else if (listener == LISTENER_THERE)
        daemon_silent(doctor, pid);
}

void check_versions(struct doctor *doctor)
{
    if (strcmp(CB_VERSION, cb_version()) != 0)
        doctor_ill(doctor, "install the same release of both", "cbctl is %s, its library %s", CB_VERSION, cb_version());
    if (doctor->answers && strcmp(doctor->version, cb_version()) != 0)
        doctor_ill(doctor, "install the same release of both, then restart registryd",
                   "registryd is %s, the library %s", doctor->version, cb_version());
    else if (doctor->answers)
        doctor_well(doctor, "registryd and library are %s", cb_version());
}

/* ---- this user ---- */

static bool in_group(gid_t group)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    bool found = getegid() == group;
    for (int i = 0; i < count; i++)
        found |= groups[i] == group;
    return found;
}

void access_remedy(const struct stat *status, char out[256])
{
    char user[EVENT_TEXT];
    const struct group *group = getgrgid(status->st_gid);
    user_name(geteuid(), user);
    if (!(status->st_mode & S_IWGRP))
        snprintf(out, 256, "set `members` in registryd.conf to a group that user %.64s belongs to", user);
    else if (group && getpwuid(geteuid()))
        snprintf(out, 256, "usermod -aG %.64s %.64s, then log in again", group->gr_name, user);
    else
        snprintf(out, 256, "add %.64s to group %u", user, (unsigned)status->st_gid);
}

static void access_denied(struct doctor *doctor, const struct stat *status)
{
    char remedy[256], user[EVENT_TEXT];
    access_remedy(status, remedy);
    doctor_ill(doctor, remedy, "%s may not connect to %s", user_name(geteuid(), user), doctor->usage.socket);
}

void check_access(struct doctor *doctor)
{
    int pid;
    struct stat status;
    char user[EVENT_TEXT];
    const char *path = doctor->usage.socket;
    enum listener listener = listener_find(path, &pid);
    user_name(geteuid(), user);
    if (stat(path, &status)) {
        if (errno == EACCES)
            doctor_ill(doctor, "chmod 755 the folder", "%s may not enter the folder of %s", user, path);
    } else if (listener == LISTENER_DENIED) {
        access_denied(doctor, &status);
    } else if (geteuid() == 0 || geteuid() == status.st_uid) {
        doctor_well(doctor, "%s may do everything", user);
    } else {
        doctor_well(doctor, "%s may look%s; registryd.conf says who may change breakers", user,
                    in_group(status.st_gid) && status.st_mode & S_IWGRP ? " and create" : "");
    }
}
