/* Saying what was wrong: a code for the program, a sentence for whoever reads it. */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include "core/segment.h"

/* A registry without its owner's daemon is only memory: a new daemon replaces what it cannot take over. */
#define REMEDY "restart registryd, which replaces it"

/* Write the sentence to `error` and return `code`, so that a failing function ends with `return fault(...)`. */
__attribute__((format(printf, 3, 4))) int fault(char error[SEGMENT_ERROR_SIZE], int code, const char *format, ...);

#endif
