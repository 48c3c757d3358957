/* cbctl - look at the circuit breakers of a registry, and throw them. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "report.h"
#include <cbclient.h>

struct command {
    const char *name;
    int (*run)(const struct options *);
    const char *arguments, *options;
    int least, most; /* how many arguments */
    const char *help;
};

#define MANY     1000000
#define JSON     OPTION_JSON
#define CHANGE   OPTION_OFFLINE OPTION_JSON
#define CONTROL  OPTION_REASON CHANGE
#define OVERRIDE OPTION_FOR CONTROL

static const struct command commands[] = {
    {"list", command_list, "[PATTERN]", OPTION_NAMES JSON, 0, 1, "all breakers, their states and counts"},
    {"show", command_show, "NAME", JSON, 1, 1, "everything about one breaker"},
    {"stats", command_stats, "NAME", OPTION_FOR JSON, 1, 1, "rates, shares and latencies of one breaker"},
    {"top", command_top, "[PATTERN]", "", 0, 1, "all of it live on the terminal, with keys to throw them"},
    {"history", command_history, "[NAME]", JSON, 0, 1, "what happened: transitions and operators' actions"},
    {"watch", command_watch, "[NAME]", JSON, 0, 1, "the same as it happens, until interrupted"},
    {"workers", command_workers, "", JSON, 0, 0, "the processes that are attached"},
    {"calls", command_calls, "[NAME]", JSON, 0, 1, "the calls in flight, the oldest first"},
    {"doctor", command_doctor, "", JSON, 0, 0, "what is wrong with this installation, and how to mend it"},
    {"ping", command_ping, "", JSON, 0, 0, "is the daemon there?"},
    {"create", command_create, "NAME [KEY=VALUE ...]", CHANGE, 1, MANY, "a new breaker"},
    {"set", command_set, "NAME [KEY=VALUE ...]", CHANGE, 1, MANY, "another policy; the state is kept"},
    {"trip", command_trip, "NAME", CONTROL, 1, 1, "open it now, for its usual time"},
    {"reset", command_reset, "NAME", OPTION_ALL CONTROL, 0, 1, "close it, clear its failures, end an override"},
    {"force-open", command_force_open, "NAME", OVERRIDE, 1, 1, "reject every call"},
    {"disable", command_disable, "NAME", OVERRIDE, 1, 1, "admit every call, count nothing"},
    {"metrics-only", command_metrics_only, "NAME", OVERRIDE, 1, 1, "admit and count every call, never trip"},
    {"auto", command_auto, "NAME", CONTROL, 1, 1, "end an override"},
    {"remove", command_remove, "NAME", CONTROL, 1, 1, "forget a breaker"},
    {"run", command_run, "NAME -- COMMAND [ARGUMENT ...]", OPTION_POLICY OPTION_TIMEOUT, 2, MANY,
     "a command as a protected call"},
    {"simulate", command_simulate, "FILE ...", OPTION_POLICY OPTION_VERBOSE JSON, 1, MANY,
     "traces, on a virtual clock"},
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* Where a group of commands begins, by the name of its first. */
static const char *const groups[][2] = {
    {"list", "Looking works without the daemon:"},
    {"create", "Changing goes through the daemon; while none runs, --offline lets the memory's\nowner do it:"},
    {"run", "Running and trying out:"},
};

static void group_print(const char *first)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (!strcmp(groups[i][0], first))
            printf("\n%s\n", groups[i][1]);
}

static int help_print(void)
{
    puts("usage: cbctl [--registry NAME] COMMAND [ARGUMENT ...]");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        group_print(commands[i].name);
        printf("  %-13s %s\n", commands[i].name, commands[i].help);
    }
    puts("\n"
         "Options; `cbctl COMMAND --help` has those of one command:\n"
         "  --registry NAME  which one; else $CB_REGISTRY, else \"default\"\n"
         "  --json           machine-readable output\n"
         "  --version        say the version\n"
         "\n"
         "Exit status: 0 done; 1 failed; 2 wrong usage; 3 no such breaker; 4 the daemon is\n"
         "not running; 5 denied. `run`: 75 the breaker rejected the call; else as its\n"
         "command, with 124 it took too long, 126 and 127 it could not be started, 128+N\n"
         "it was ended by signal N.");
    return EXIT_DONE;
}

static void usage_print(FILE *out, const struct command *command)
{
    char options[160];
    const char *arguments = command->arguments;
    const char *dashes = strstr(arguments, " -- "); /* options come before what is run */
    int head = (int)(dashes ? (size_t)(dashes - arguments) : strlen(arguments));
    fprintf(out, "usage: cbctl %s%s%.*s%s%s\n", command->name, *arguments ? " " : "", head, arguments,
            options_usage(command->options, options, sizeof options), arguments + head);
}

static int command_start(const struct command *command, struct options *options)
{
    int code = options_read(options, command->options, true, options->argc, options->argv);
    if (code)
        return code;
    if (options->help) {
        usage_print(stdout, command);
        printf("%s: %s\n", command->name, command->help);
        return EXIT_DONE;
    }
    if (options->argc >= command->least && options->argc <= command->most)
        return command->run(options);
    report(EXIT_USAGE, "%s: too %s arguments", command->name, options->argc < command->least ? "few" : "many");
    usage_print(stderr, command);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    struct options options = {0};
    int code = options_read(&options, "", false, argc, argv);
    if (code)
        return code;
    if (options.version)
        return printf("cbctl %s\n", cb_version()) < 0;
    if (!options.argc)
        return options.help ? help_print() : report(EXIT_USAGE, "which command? See `cbctl --help`");
    const struct command *command = command_find(options.argv[0]);
    if (!command)
        return report(EXIT_USAGE, "there is no command '%s'; see `cbctl --help`", options.argv[0]);
    code = command_start(command, &options);
    if (fflush(stdout) || ferror(stdout))
        return report(EXIT_FAILED, "standard output: %m");
    return code;
}
