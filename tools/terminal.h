/* Is there a terminal that can be drawn on? */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H

#include <stdbool.h>

/* False, after saying on stderr why not and what to use instead. */
bool terminal_usable(void);

#endif
