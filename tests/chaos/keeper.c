#include "keeper.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "victim.h"

#define LOG_END 4096

static uint64_t now_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

static void path_of(const struct keeper *keeper, const char *file, char out[128])
{
    snprintf(out, 128, "%s/%s", keeper->dir, file);
}

/* Its log is appended to, from one daemon to the next. */
static void log_to_stderr(const struct keeper *keeper)
{
    char path[128];
    path_of(keeper, "log", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0)
        dup2(fd, STDERR_FILENO);
}

static pid_t start(const struct keeper *keeper)
{
    char notify[128];
    path_of(keeper, "notify", notify);
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    setenv("NOTIFY_SOCKET", notify, 1);
    log_to_stderr(keeper);
    execl(keeper->program, "registryd", "--registry", keeper->registry, "--runtime-dir", keeper->dir, "--capacity",
          "64", (char *)NULL);
    _exit(127);
}

static void launch(struct keeper *keeper)
{
    char message[512];
    while (recv(keeper->notify, message, sizeof message, MSG_DONTWAIT) > 0)
        continue; /* what its predecessor said */
    keeper->ready = false;
    keeper->continue_ms = 0;
    keeper->started_ms = now_ms();
    keeper->pid = start(keeper);
}

static bool notify_open(struct keeper *keeper)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/notify", keeper->dir);
    keeper->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return keeper->notify >= 0 && bind(keeper->notify, (struct sockaddr *)&address, sizeof address) == 0;
}

bool keeper_open(struct keeper *keeper, const char *program)
{
    *keeper = (struct keeper){.program = program, .notify = -1};
    snprintf(keeper->registry, sizeof keeper->registry, "chaos-%d", (int)getpid());
    strcpy(keeper->dir, "/tmp/registryd-chaos-XXXXXX");
    if (!mkdtemp(keeper->dir) || !notify_open(keeper)) {
        perror(keeper->dir);
        return false;
    }
    launch(keeper);
    const char *wrong = NULL;
    while (!keeper->ready && !wrong) {
        usleep(1000);
        wrong = keeper_listen(keeper);
    }
    if (wrong)
        fprintf(stderr, "registryd: %s\n", wrong);
    return !wrong;
}

static void folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(path);
}

static bool purge(const struct keeper *keeper)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        log_to_stderr(keeper);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl(keeper->program, "registryd", "--registry", keeper->registry, "--runtime-dir", keeper->dir, "--purge",
              (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

bool keeper_close(struct keeper *keeper)
{
    int status = -1;
    bool good = true;
    if (keeper->pid > 0) {
        victim_signal(keeper->pid, SIGTERM);
        victim_signal(keeper->pid, SIGCONT);
        good = waitpid(keeper->pid, &status, 0) > 0 && status == 0;
        good &= purge(keeper);
    }
    if (keeper->notify >= 0)
        close(keeper->notify);
    folder_remove(keeper->dir);
    return good;
}

void keeper_kill(struct keeper *keeper)
{
    victim_kill(keeper->pid);
    launch(keeper);
}

void keeper_stop(struct keeper *keeper, uint64_t until_ms)
{
    victim_signal(keeper->pid, SIGSTOP);
    keeper->continue_ms = until_ms;
}

void keeper_continue(struct keeper *keeper)
{
    victim_signal(keeper->pid, SIGCONT);
    keeper->continue_ms = 0;
    keeper->disturbed_ms = now_ms();
}

const char *keeper_listen(struct keeper *keeper)
{
    char message[512];
    ssize_t length;
    while ((length = recv(keeper->notify, message, sizeof message - 1, MSG_DONTWAIT)) > 0) {
        message[length] = '\0';
        if (!keeper->ready && strstr(message, "READY=1")) {
            keeper->ready = true;
            keeper->disturbed_ms = now_ms();
        }
    }
    if (keeper->pid > 0 && waitpid(keeper->pid, NULL, WNOHANG) > 0) {
        keeper->pid = 0;
        return "it ended by itself";
    }
    if (keeper->continue_ms)
        keeper->started_ms = now_ms(); /* the time counts from when it runs */
    return keeper->ready || now_ms() - keeper->started_ms < READY_MS ? NULL : "it does not become ready";
}

bool keeper_was_there(const struct keeper *keeper, uint64_t since_ms)
{
    return keeper->ready && !keeper->continue_ms && keeper->disturbed_ms < since_ms;
}

void keeper_print_log(const struct keeper *keeper)
{
    char path[128], text[LOG_END];
    path_of(keeper, "log", path);
    FILE *log = fopen(path, "re");
    if (!log)
        return;
    if (fseek(log, -LOG_END, SEEK_END) == 0 || fseek(log, 0, SEEK_SET) == 0)
        fwrite(text, 1, fread(text, 1, sizeof text, log), stdout);
    fclose(log);
}
