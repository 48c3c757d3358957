#include "core/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lane.h"
#include "core/reason.h"

static ssize_t stat_read(uint32_t pid, char *text, size_t size)
{
    snprintf(text, size, "/proc/%u/stat", pid);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length;
}

/* A process chooses its name itself, and it goes to terminals and logs: nothing in it ends a line, or drives them. */
static void command_tame(char *command)
{
    size_t fault;
    while ((fault = reason_fault(command)) != 0)
        command[fault - 1] = '?';
}

/* "PID (NAME) ...": the name in field 2 may hold anything, so it ends at the last ')', and the fields behind that are
 * counted to number 22. */
uint64_t process_start(uint32_t pid, char command[COMMAND_SIZE])
{
    char text[1024];
    *command = '\0';
    if (stat_read(pid, text, sizeof text) <= 0)
        return 0;
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    if (name && end > name)
        snprintf(command, COMMAND_SIZE, "%.*s", (int)(end - name - 1), name + 1);
    command_tame(command);
    for (int field = 2; end && field < 22; field++)
        end = strchr(end + 1, ' ');
    return end ? strtoull(end, NULL, 10) : 0;
}

void process_command(uint64_t process, char command[COMMAND_SIZE])
{
    uint64_t recorded = process_ticks(process), start = process_start(process_pid(process), command);
    if (recorded != 0 && start != recorded)
        *command = '\0';
}
