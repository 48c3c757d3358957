/* cbctl watch: what happens, as it happens. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "commands.h"
#include "event.h"
#include "event_json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

static void line_print(const struct cb_event *event)
{
    char time[EVENT_TEXT], actor[EVENT_TEXT];
    const char *colour = event->from != event->to && event->to >= 0 ? state_colour(event->to) : "";
    printf("%s  %s%s%s%s%s", event_time(event, time), event->name, *event->name ? "  " : "", colour, event->text,
           *colour ? COLOUR_END : "");
    if (event->filled)
        printf(" (filled in)");
    else if (strcmp(event->cause, "missed") != 0)
        printf(", by %s", event_actor(event, actor));
    printf(*event->reason ? ": %s\n" : "%s\n", event->reason);
}

/* Print what there is. 0, or an error. */
static int drain(cb_watch *watch, bool json)
{
    struct cb_event event;
    int code;
    while ((code = cb_watch_next(watch, &event, sizeof event)) >= 0) {
        if (json)
            json_line(json_event(&event));
        else
            line_print(&event);
        if (fflush(stdout))
            return -errno;
    }
    return code == -EAGAIN ? 0 : code;
}

static void say_connected(bool connected)
{
    report(0, connected ? "registryd is back"
                        : "registryd is away; what workers do is shown all the same, and it is looked for");
}

/* Until a signal asks for the end, or nobody reads our output any more. */
static int follow(cb_watch *watch, bool json, int signals)
{
    struct pollfd polled[] = {{cb_watch_fd(watch), POLLIN, 0}, {signals, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    bool connected = true;
    for (;;) {
        int error = drain(watch, json);
        if (error == -EPIPE)
            return 0;
        if (error)
            return error;
        if (connected != (cb_watch_connected(watch) == 1))
            say_connected(connected = !connected);
        if (poll(polled, sizeof polled / sizeof *polled, -1) < 0 && errno != EINTR)
            return -errno;
        if (polled[1].revents || polled[2].revents)
            return 0;
    }
}

static int signals_open(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &ends, SFD_CLOEXEC);
}

int command_watch(const struct options *options)
{
    cb_registry *registry;
    cb_watch *watch;
    const char *name = options->argc ? options->argv[0] : NULL;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    int signals = signals_open();
    int error = cb_watch_open(registry, name, &watch);
    if (!error)
        error = follow(watch, options->json, signals);
    if (error)
        code = report_error(name ? name : cb_registry_name(registry), error);
    cb_watch_close(&watch);
    close(signals);
    cb_detach(&registry);
    return code;
}
