#include "core/fault.h"

#include <stdarg.h>
#include <stdio.h>

int fault(char error[SEGMENT_ERROR_SIZE], int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, SEGMENT_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return code;
}
