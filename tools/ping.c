/* cbctl ping: is the daemon there? */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "json.h"
#include "registry.h"
#include "report.h"

int command_ping(const struct options *options)
{
    cb_registry *registry;
    int code = registry_open(options, &registry);
    if (code)
        return code;
    uint64_t took_ns = 0;
    const char *version = "?", *name = cb_registry_name(registry);
    int error = cb_ping(registry, &took_ns, &version);
    if (error == CB_EUNREACHABLE)
        code = registry_report_unreachable(options);
    else if (error)
        code = report_error(name, error);
    else if (options->json)
        json_print(
            json_pack("{s:s, s:s, s:I}", "registry", name, "version", version, "round_trip_ns", (json_int_t)took_ns));
    else
        printf("registry '%s': registryd %s answers in %" PRIu64 "us\n", name, version, took_ns / 1000);
    cb_detach(&registry);
    return code;
}
