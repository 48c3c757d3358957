/* What there is to say of one breaker, in lines of text. */
#ifndef TOOLS_HEALTH_H
#define TOOLS_HEALTH_H

#include <stdio.h>

#include <cbclient.h>

/* What a line is about, at its beginning. */
void label_write(FILE *out, const char *name);

/* Name and state (in its colour, if `colour` is not ""), policy, override, counts, window and latency. */
void health_write(FILE *out, const struct cb_health *, const char *colour);

#endif
