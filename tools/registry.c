#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

const char *registry_name(const struct options *options)
{
    const char *environment = getenv("CB_REGISTRY");
    if (options->registry)
        return options->registry;
    return environment && *environment ? environment : "default";
}

static int report_no_daemon(const char *name, const char *what, const char *consequence)
{
    char start[128] = "`systemctl start registryd` or `registryd &`";
    if (strcmp(name, "default"))
        snprintf(start, sizeof start, "`registryd --registry %.63s &`", name);
    return report(EXIT_NO_DAEMON, "registry '%s': registryd %s; %s%sstart it with %s", name, what, consequence,
                  *consequence ? "; " : "", start);
}

int registry_report(const struct options *options, int error, const char *consequence)
{
    const char *name = registry_name(options);
    if (error == CB_ENODAEMON)
        return report_no_daemon(name, "is not running", consequence);
    char subject[128];
    snprintf(subject, sizeof subject, "registry '%.64s'%s%s", name, *consequence ? ", " : "", consequence);
    return report_error(subject, error);
}

int registry_report_unreachable(const struct options *options)
{
    return report_no_daemon(registry_name(options), "is not running, or is stopped",
                            "its breakers work on, but only it can change them, or their owner with --offline");
}

int registry_open(const struct options *options, cb_registry **out)
{
    int error = options->offline ? cb_attach_offline(options->registry, out) : cb_attach(options->registry, out);
    if (!error)
        return EXIT_DONE;
    int code = registry_report(options, error, "");
    cb_detach(out);
    return code;
}

int registry_open_breaker(const struct options *options, cb_registry **registry, cb_breaker **breaker)
{
    int code = registry_open(options, registry);
    if (code)
        return code;
    const char *name = options->argv[0];
    int error = cb_get(*registry, name, breaker);
    if (!error)
        return EXIT_DONE;
    if (error == CB_ENOTFOUND)
        code = report(EXIT_NO_BREAKER, "no breaker '%s' in registry '%s'; `cbctl list` has those that there are", name,
                      cb_registry_name(*registry));
    else
        code = report_error(name, error);
    cb_detach(registry);
    return code;
}
