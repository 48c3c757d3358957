#include "registryd/config.h"
#include "registryd/daemon.h"
#include "registryd/log.h"
#include "registryd/logbook.h"
#include "registryd/options.h"

static int act(const struct options *options, struct config *config)
{
    switch (options->action) {
    case ACTION_CHECK:
        return daemon_check(options, config);
    case ACTION_PURGE:
        return daemon_purge(options, config);
    case ACTION_RUN:
        break;
    }
    return daemon_run(options, config);
}

int main(int argc, char **argv)
{
    struct options options;
    struct config config;
    logbook_open();
    options_parse(&options, argc, argv);
    config_init(&config);
    unsigned errors = options.config ? config_load(&config, options.config, options.capacity) : 0;
    if (errors > 0)
        log_say(LOG_ERR, "%s: %u error%s", options.config, errors, errors == 1 ? "" : "s");
    int status = errors > 0 ? 1 : act(&options, &config);
    config_finish(&config);
    return status;
}
