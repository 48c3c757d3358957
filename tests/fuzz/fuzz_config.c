/* A configuration file: whatever it holds, what is taken over from it is valid. */
#include <string.h>

#include "core/policy.h"
#include "core/segment.h"
#include "fuzz.h"
#include "registryd/config.h"

static void check_taken(const struct config *config)
{
    MUST_HOLD(config->capacity <= CAPACITY_MAX);
    MUST_HOLD(!*config->registry || registry_name_valid(config->registry));
    for (size_t i = 0; i < config->count; i++) {
        const struct config_breaker *breaker = &config->breakers[i];
        MUST_HOLD(breaker_name_valid(breaker->name, strlen(breaker->name)));
        MUST_HOLD(policy_valid(&breaker->policy));
        MUST_HOLD(config_find(config, breaker->name) == breaker);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    config_init(&config);
    if (config_load(&config, input_file(data, size), 0) == 0)
        check_taken(&config);
    config_finish(&config);
    return 0;
}
