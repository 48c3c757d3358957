#include "registryd/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_SIZE 1024

/* One write a line, so that lines of several daemons on one terminal do not mix. */
void log_say(int priority, const char *format, ...)
{
    char line[LINE_SIZE];
    int length = getenv("JOURNAL_STREAM") ? snprintf(line, sizeof line, "<%d>", priority)
                                          : snprintf(line, sizeof line, "registryd: ");
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    length = more < 0 || length + more > LINE_SIZE - 2 ? LINE_SIZE - 2 : length + more;
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody listens, and there is nowhere else to say so */
}
