/* cbctl run: any command as a protected call. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "child.h"
#include "commands.h"
#include "duration.h"
#include "registry.h"
#include "report.h"

enum { EXIT_TIMED_OUT = 124, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNALLED = 128 };

/* The exit code for how the command ended, and the outcome that it is for the breaker. */
static int outcome_record(const struct child_end *end, const char *command, cb_permit *permit)
{
    if (end->error) { /* says nothing about the dependency */
        cb_ignore(permit);
        return report(end->error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, "cannot run %s: %s", command,
                      strerror(end->error));
    }
    bool exited = WIFEXITED(end->status);
    if (exited && !WEXITSTATUS(end->status) && !end->timed_out)
        cb_success(permit);
    else
        cb_failure(permit);
    if (end->timed_out)
        return EXIT_TIMED_OUT;
    return exited ? WEXITSTATUS(end->status) : EXIT_SIGNALLED + WTERMSIG(end->status);
}

static int rejection_report(const cb_breaker *breaker, int answer)
{
    uint64_t wait = cb_retry_after_ms(breaker);
    char text[DURATION_TEXT];
    const char *name = cb_name_of(breaker), *why = cb_answer_name(answer);
    if (wait == UINT64_MAX)
        return report(EXIT_REJECTED, "%s: %s, until an operator ends it", name, why);
    if (wait == 0)
        return report(EXIT_REJECTED, "%s: %s", name, why);
    return report(EXIT_REJECTED, "%s: %s, %s in %s", name, why,
                  cb_state_of(breaker) == CB_FORCED_OPEN ? "ends" : "next probe", duration_text(wait, text));
}

/* `breaker` NULL: the registry has none for it. */
static int call_run(cb_breaker *breaker, const struct options *options)
{
    cb_permit permit = {0};
    int answer = breaker ? cb_acquire(breaker, &permit) : CB_ADMITTED;
    if (answer != CB_ADMITTED)
        return rejection_report(breaker, answer);
    struct child_end end;
    child_run(options->argv + 1, options->timeout_ms, &end);
    return outcome_record(&end, options->argv[1], &permit);
}

/* Protection must never stand in the way of the job: while the daemon is away, the registry full, or this user not a
 * member of its group, it goes on, and says so. */
static int breaker_obtain(cb_registry *registry, const struct options *options, cb_breaker **breaker)
{
    const char *name = options->argv[0];
    int error = cb_get_or_create(registry, name, options->policy, breaker);
    if (error >= 0)
        return EXIT_DONE;
    if (error == CB_ENAME || error == CB_EPOLICY)
        return report_error(name, error);
    report(EXIT_DONE, "%s: going on without %s; %s", name, *breaker ? "sharing it" : "a breaker", cb_last_error());
    return EXIT_DONE;
}

int command_run(const struct options *options)
{
    cb_registry *registry;
    cb_breaker *breaker;
    if (!options->dashes)
        return report(EXIT_USAGE, "run: the command comes after \"--\": cbctl run %s -- %s ...", options->argv[0],
                      options->argv[1]);
    int error = cb_attach(options->registry, &registry);
    int code = error ? registry_report(options, error, registry ? "going on without sharing" : "") : EXIT_DONE;
    if (!registry)
        return code;
    code = breaker_obtain(registry, options, &breaker);
    if (!code)
        code = call_run(breaker, options);
    cb_detach(&registry);
    return code;
}
