/* A hook's arguments and environment: an event in texts. */
#ifndef REGISTRYD_HOOK_TEXT_H
#define REGISTRYD_HOOK_TEXT_H

#include "core/events.h"

#define HOOK_VARIABLES 20
#define HOOK_TEXT_SIZE 4096

struct hook_text {
    char *arguments[5];                  /* the command, the breaker, from, to, NULL */
    char *environment[HOOK_VARIABLES];   /* the last one NULL */
    char store[HOOK_TEXT_SIZE], *behind; /* where the texts are */
};

/* Refers to `command`, which stays. `skipped`: transitions that were passed over since the breaker's last hook. */
void hook_text_fill(struct hook_text *, const char *command, const char *registry, const struct event *,
                    unsigned skipped);

#endif
