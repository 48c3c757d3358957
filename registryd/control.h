/* What can be done to breakers, whoever asks (core/action.h), with what the daemon itself keeps of them. */
#ifndef REGISTRYD_CONTROL_H
#define REGISTRYD_CONTROL_H

#include "core/call.h"
#include "core/panel.h"
#include "registryd/registry.h"

/* As panel_create() and panel_set_policy(). A policy that is in force already is no change. */
int control_create(struct registry *, struct actor, const char *name, const struct policy *, uint32_t *slot,
                   char error[SEGMENT_ERROR_SIZE]);
int control_set_policy(struct registry *, struct actor, uint32_t slot, const struct policy *,
                       char error[SEGMENT_ERROR_SIZE]);

void control_trip(struct registry *, struct actor, uint32_t slot, const char *reason);
void control_reset(struct registry *, struct actor, uint32_t slot, const char *reason); /* ends an override too */
void control_reset_all(struct registry *, struct actor, const char *reason);
void control_remove(struct registry *, struct actor, uint32_t slot, const char *reason);

/* Impose `state` for `for_ms` (0: until ended); STATE_CLOSED ends one. */
void control_override(struct registry *, struct actor, uint32_t slot, enum breaker_state state, uint64_t for_ms,
                      const char *reason);

#endif
