/* What can be done to a registry's breakers, by whoever may write its panel: done in the memory and written down as
 * events, with who did it and why, also if the doer is killed in between. */
#ifndef CORE_ACTION_H
#define CORE_ACTION_H

#include "core/check.h"
#include "core/panel.h"
#include "core/scribe.h"

/* As panel_create() and panel_set_policy(). A breaker that exists, or a policy that is in force already, is no change and
 * no event. */
int action_create(struct scribe *, struct actor, const char *name, const struct policy *, uint32_t *slot,
                  char error[SEGMENT_ERROR_SIZE]);
int action_set_policy(struct scribe *, struct actor, uint32_t slot, const struct policy *,
                      char error[SEGMENT_ERROR_SIZE]);

/* To be called once behind scribe_open(): overrides whose imposer was killed before the gate was swapped come into force. */
void action_resume(struct scribe *);

/* `reason`: "" or what the operator wrote, less than REASON_SIZE bytes. */
void action_trip(struct scribe *, struct actor, uint32_t slot, const char *reason);
void action_reset(struct scribe *, struct actor, uint32_t slot, const char *reason); /* ends an override too */
void action_reset_all(struct scribe *, struct actor, const char *reason);
void action_remove(struct scribe *, struct actor, uint32_t slot, const char *reason);

/* Impose `state` for `for_ms` (0: until ended); STATE_CLOSED ends one. */
void action_override(struct scribe *, struct actor, uint32_t slot, enum breaker_state state, uint64_t for_ms,
                     const char *reason);

/* Swap in what a damaged gate has to be. `what` was damaged. False: somebody has changed it meanwhile. */
bool action_repair(struct scribe *, uint32_t slot, struct gate_damage, const char *what);

#endif
