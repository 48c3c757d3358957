/* Breakers as messages. */
#ifndef REGISTRYD_LISTING_H
#define REGISTRYD_LISTING_H

#include "registryd/registry.h"
#include "registryd/reply.h"

/* One breaker; false: the slot is free. */
bool listing_show(const struct registry *, uint32_t slot, struct reply *);

/* Those with names greater than `after`, by name: at most `limit` (0: no limit), and what fits into a packet. */
void listing_page(const struct registry *, const char *after, uint32_t limit, struct reply *);

#endif
