/* Saying what was wrong: a code for the program, a sentence for whoever reads it. */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include "core/segment.h"

/* Write the sentence to `error` and return `code`, so that a failing function ends with `return fault(...)`. */
__attribute__((format(printf, 3, 4))) int fault(char error[SEGMENT_ERROR_SIZE], int code, const char *format, ...);

#endif
