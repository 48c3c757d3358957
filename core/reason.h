/* What operators write down with what they do. Shown on terminals and in logs, so it is plain text of one line. */
#ifndef CORE_REASON_H
#define CORE_REASON_H

#include <stddef.h>

/* The number (from 1) of the first byte that does not belong there: a control character, also one that UTF-8 spells with
 * two bytes, or no UTF-8. 0: there is none. Its length is for the caller to check (REASON_SIZE). */
size_t reason_fault(const char *reason);

#endif
