#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

static void indent(FILE *from)
{
    char line[512];
    while (fgets(line, sizeof line, from))
        printf("  %s", line);
}

int cbctl_show(const char *word)
{
    int pipes[2], status = 0;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -errno;
    printf("\n  $ cbctl %s\n", word);
    fflush(stdout);
    pid_t pid = child_fork(SIGTERM);
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        execl(DEMO_CBCTL, "cbctl", word, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    FILE *from = fdopen(pipes[0], "r");
    if (from) {
        indent(from);
        fclose(from);
    }
    putchar('\n');
    fflush(stdout);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -EAGAIN;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
