/* The configuration file: settings in [registryd], and a section a breaker with its policy's keys. */
#ifndef REGISTRYD_CONFIG_H
#define REGISTRYD_CONFIG_H

#include <stddef.h>
#include <sys/types.h>

#include "core/layout.h"
#include "registryd/http_address.h"
#include "registryd/state_file.h"

#define CAPACITY_DEFAULT 1024
#define GROUP_NONE       ((gid_t)-1)
#define HOOK_TIMEOUT_MS  10000

struct config_breaker {
    char name[NAME_SIZE];
    int line; /* of its section */
    struct policy policy;
};

struct config {
    char registry[NAME_SIZE];    /* "": not given */
    char runtime_dir[PATH_SIZE]; /* "": not given */
    char state[STATE_PATH_SIZE]; /* "": not given */
    uint32_t capacity;           /* 0: not given */
    gid_t members, administrators;
    struct http_address http;        /* without a host: not given */
    char http_token_file[PATH_SIZE]; /* "": not given */
    char hook[PATH_SIZE];            /* a command's absolute path; "": none */
    uint32_t hook_timeout_ms;
    struct config_breaker *breakers; /* room for CAPACITY_MAX, so that none ever moves */
    size_t count;
    void *by_name; /* of tsearch() */
};

void config_init(struct config *);
void config_finish(struct config *);

/* Read the file at `path` over *config (initialised). Everything that is wrong with it is logged, each with file and
 * line; returns how many things that were. `capacity`: the command line's, which counts before the file's; or 0. */
unsigned config_load(struct config *, const char *path, uint32_t capacity);

const struct config_breaker *config_find(const struct config *, const char *name);

/* "1" to "65536"; 0 for anything else. */
uint32_t capacity_parse(const char *text);

#endif
