#include "registryd/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define MESSAGE_SIZE 1024

static log_taker *taker;

void log_to(log_taker *next)
{
    taker = next;
}

/* One write a line, so that lines of several daemons on one terminal do not mix. */
static void line_write(int priority, const char *message)
{
    char line[MESSAGE_SIZE + 16];
    int length = taker ? snprintf(line, sizeof line, "<%d>%s\n", priority, message) /* read by systemd as well */
                       : snprintf(line, sizeof line, "registryd: %s\n", message);
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody listens, and there is nowhere else to say so */
}

static void say(int priority, const struct log_field *fields, size_t count, const char *format, va_list arguments)
{
    char message[MESSAGE_SIZE];
    vsnprintf(message, sizeof message, format, arguments);
    if (taker == NULL || !taker(priority, fields, count, message))
        line_write(priority, message);
}

void log_say(int priority, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(priority, NULL, 0, format, arguments);
    va_end(arguments);
}

void log_tell(int priority, const struct log_field *fields, size_t count, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(priority, fields, count, format, arguments);
    va_end(arguments);
}
