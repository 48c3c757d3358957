/* What is done to whom, at random. */
#ifndef CHAOS_DEEDS_H
#define CHAOS_DEEDS_H

#include "stage.h"

/* Kill or stop somebody, or send an operator. */
void deeds_do_one(struct stage *);

/* Let those go on who were stopped until now; UINT64_MAX: all. */
void deeds_undo(struct stage *, uint64_t now_ms);

#endif
