/* What process tests need: a daemon of their own, child processes, and commands with their output. Uses Criterion's
 * assertions, so everything here is called in a test's own process, never in a forked child. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#define HARNESS_DEADLINE_MS 10000 /* for anything that should take milliseconds; sanitizers are slow */
#define HARNESS_ARGUMENTS   32

/* A registryd on a registry that nobody else uses, with a private runtime folder. */
struct daemon {
    pid_t pid; /* 0: not running */
    char registry[64];
    char dir[108];
    char *extra[HARNESS_ARGUMENTS]; /* further arguments, kept for a restart */
    char ready[1024];               /* what it told systemd when it was ready */
};

/* Start it with further arguments (the last one NULL) and wait until it says that it is ready. */
void daemon_start(struct daemon *, ...) __attribute__((sentinel));
/* Start it again with the same arguments, after daemon_kill() or daemon_term(). */
void daemon_restart(struct daemon *);
/* SIGKILL, and wait for its end. The memory stays. */
void daemon_kill(struct daemon *);
/* SIGTERM, and wait for its end; returns its exit status (128 + signal if killed). The memory stays. */
int daemon_term(struct daemon *);
/* End it if it runs, purge the memory, remove the folder; fails if anything is left. */
void daemon_stop(struct daemon *);

/* Does the registry's panel or live object exist? */
int registry_exists(const char *registry);

/* A command that has ended. `status`: its exit status, or 128 + signal. */
struct output {
    int status;
    char *out, *err; /* NUL-terminated; for output_free() */
};
/* Run `file` (searched in PATH unless it has a slash) with arguments, the last one NULL, and standard input empty. */
void run(struct output *, const char *file, ...) __attribute__((sentinel));
void output_free(struct output *);

/* Fork a child that calls fn(arg) and exits with 0. It dies with the test. */
pid_t fork_child(void (*fn)(void *), void *arg);
/* Wait for its end: its exit status, or 128 + signal. */
int child_wait(pid_t);

/* The assertion for forked children: says what was wrong and exits with 1. */
#define child_check(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: child: not so: %s\n", __FILE__, __LINE__, #condition);                             \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

#endif
