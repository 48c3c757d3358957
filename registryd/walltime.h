/* Wall-clock time, for what people read and for what outlives a boot. Nothing is timed by it. */
#ifndef REGISTRYD_WALLTIME_H
#define REGISTRYD_WALLTIME_H

#include <stdbool.h>
#include <stdint.h>

#define WALLTIME_SIZE 40

/* Milliseconds since 1970, UTC. */
uint64_t walltime_now_ms(void);

/* "2026-11-21T09:30:00.250Z" (RFC 3339), and back; false: `text` is not exactly such a time. */
void walltime_format(uint64_t ms, char out[WALLTIME_SIZE]);
bool walltime_parse(const char *text, uint64_t *ms);

#endif
