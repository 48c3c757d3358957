/* A worker that does as it is told, for the dashboard's tests: commands on standard input, one a line, each answered by
 * a line on standard output. Ends with its input.
 *
 *     ok NAME COUNT       so many successful calls        fail NAME COUNT     so many failed ones
 *     hold NAME           begin a call and keep it        end                 the call kept last succeeds
 *     all COUNT           so many successful calls of every breaker
 *
 * Usage: page_worker REGISTRY TITLE, which the kernel calls this process then. */
#include <cbclient.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static cb_permit kept;

static void calls_make(cb_breaker *breaker, int count, enum cb_outcome outcome)
{
    for (int i = 0; i < count; i++) {
        cb_permit permit;
        if (cb_acquire(breaker, &permit) == CB_ADMITTED)
            cb_settle(&permit, outcome, 0);
    }
}

struct round {
    cb_registry *registry;
    int count;
};

static int breaker_call(const struct cb_health *health, void *arg)
{
    const struct round *round = arg;
    cb_breaker *breaker;
    int error = cb_get(round->registry, health->name, &breaker);
    if (!error)
        calls_make(breaker, round->count, CB_SUCCESS);
    return error;
}

static int command_all(cb_registry *registry, int count)
{
    struct round round = {registry, count};
    return cb_list(registry, breaker_call, &round);
}

static int command_named(cb_registry *registry, const char *verb, const char *name, int count)
{
    cb_breaker *breaker;
    int error = cb_get(registry, name, &breaker);
    if (error)
        return error;
    if (!strcmp(verb, "hold"))
        return cb_acquire(breaker, &kept);
    calls_make(breaker, count, strcmp(verb, "fail") ? CB_SUCCESS : CB_FAILURE);
    return 0;
}

static int command_run(cb_registry *registry, char *line)
{
    char *verb = strsep(&line, " ");
    if (!strcmp(verb, "end"))
        return cb_success(&kept);
    if (!line)
        return -EINVAL;
    char *name = strsep(&line, " ");
    if (!strcmp(verb, "all"))
        return command_all(registry, atoi(name));
    return command_named(registry, verb, name, line ? atoi(line) : 0);
}

int main(int argc, char **argv)
{
    cb_registry *registry;
    if (argc != 3)
        return 2;
    prctl(PR_SET_NAME, argv[2]);
    if (cb_attach(argv[1], &registry)) {
        fprintf(stderr, "page_worker: %s\n", cb_last_error());
        return 1;
    }
    puts("ready");
    fflush(stdout);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        int result = command_run(registry, line);
        printf("%s\n", result ? cb_strerror(result) : "done");
        fflush(stdout);
    }
    free(line);
    cb_detach(&registry);
    return 0;
}
