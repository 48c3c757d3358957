#include "registryd/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "registryd/config.h"

static const char usage[] = "Usage: registryd [OPTION]...\n"
                            "Keep a registry of circuit breakers for the processes of this host.\n"
                            "\n"
                            "  --registry NAME    the registry's name (\"default\")\n"
                            "  --config FILE      read settings and breakers from FILE; SIGHUP reads it again\n"
                            "  --capacity N       room for N breakers, 1 to 65536 (1024)\n"
                            "  --runtime-dir DIR  where socket and lock lie (/run/registryd for root,\n"
                            "                     else $XDG_RUNTIME_DIR/registryd or /tmp/registryd-UID)\n"
                            "  --state FILE       keep overrides, policies and open breakers across a reboot\n"
                            "  --http ADDR        serve metrics, JSON and a page over HTTP at HOST:PORT, or\n"
                            "                     at PORT of 127.0.0.1; port 0: any that is free (off)\n"
                            "  -n, --check        check the configuration, say every error, and leave\n"
                            "  --purge            remove the memory of a registry whose daemon is not running\n"
                            "  --version, --help  say so and leave\n"
                            "\n"
                            "Signals: SIGHUP reloads the configuration; SIGTERM and SIGINT end the daemon and\n"
                            "leave the memory, which workers go on using and the next start takes over.\n"
                            "Exit status: 0 done, 1 failed (said on stderr), 2 wrong usage.\n";

enum {
    OPTION_REGISTRY = 256,
    OPTION_CONFIG,
    OPTION_CAPACITY,
    OPTION_RUNTIME_DIR,
    OPTION_STATE,
    OPTION_HTTP,
    OPTION_PURGE,
    OPTION_VERSION
};

static const struct option longs[] = {
    {"registry", required_argument, NULL, OPTION_REGISTRY},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"capacity", required_argument, NULL, OPTION_CAPACITY},
    {"runtime-dir", required_argument, NULL, OPTION_RUNTIME_DIR},
    {"state", required_argument, NULL, OPTION_STATE},
    {"http", required_argument, NULL, OPTION_HTTP},
    {"check", no_argument, NULL, 'n'},
    {"purge", no_argument, NULL, OPTION_PURGE},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static _Noreturn void refuse(const char *what, const char *value)
{
    fprintf(stderr, "registryd: %s%s\nTry 'registryd --help'.\n", what, value);
    exit(2);
}

static void say_and_leave(const char *text)
{
    fputs(text, stdout);
    exit(fflush(stdout) == 0 ? 0 : 1);
}

static void take(struct options *options, int option)
{
    switch (option) {
    case OPTION_REGISTRY:
        options->registry = optarg;
        break;
    case OPTION_CONFIG:
        options->config = optarg;
        break;
    case OPTION_CAPACITY:
        options->capacity = capacity_parse(optarg);
        if (options->capacity == 0)
            refuse("--capacity takes a number from 1 to 65536, not ", optarg);
        break;
    case OPTION_RUNTIME_DIR:
        options->runtime_dir = optarg;
        break;
    case OPTION_STATE:
        options->state = optarg;
        break;
    case OPTION_HTTP:
        options->http = optarg;
        break;
    case OPTION_PURGE:
        options->action = ACTION_PURGE;
        break;
    case 'n':
        options->action = ACTION_CHECK;
        break;
    case OPTION_VERSION:
        say_and_leave("registryd " CB_VERSION "\n");
        break;
    case 'h':
        say_and_leave(usage);
        break;
    default:
        fputs("Try 'registryd --help'.\n", stderr);
        exit(2);
    }
}

void options_parse(struct options *options, int argc, char **argv)
{
    int option;
    *options = (struct options){.action = ACTION_RUN};
    while ((option = getopt_long(argc, argv, "nh", longs, NULL)) != -1)
        take(options, option);
    if (optind < argc)
        refuse("there is nothing to do with ", argv[optind]);
    if (options->action == ACTION_CHECK && options->config == NULL)
        refuse("--check needs --config FILE", "");
}
