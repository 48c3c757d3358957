/* A panel's header: what the creator writes into it and what a joiner makes of it. */
#ifndef CORE_HEADER_H
#define CORE_HEADER_H

#include "core/segment.h"

/* Fill a header that belongs to this process's namespaces and clock; -EINVAL: the geometry is out of range. */
int header_init(struct panel_header *, const struct geometry *, const char *socket);

/* The mutexes of a mapped panel, and the live object's header: all that is not zero in a new registry. */
void header_furnish(const struct segment *);

/* Check a copy of a header of which `length` bytes could be read, in an object of `size` bytes. */
int header_check(const struct panel_header *, size_t length, uint64_t size, char error[SEGMENT_ERROR_SIZE]);

/* Take sizes and addresses over from a checked header. */
void header_bind(const struct panel_header *, void *panel, bool writable, void *live, struct segment *out);

/* Do processes have the same numbers here as for the registry? (True also where nobody can tell.) */
bool header_numbers_here(const struct panel_header *);

#endif
