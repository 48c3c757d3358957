#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <cbclient.h>

int report(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("cbctl: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return code;
}

static int exit_code_of(int error)
{
    switch (error) {
    case CB_ENAME:
    case CB_EPOLICY:
    case CB_EREASON:
    case -EINVAL:
        return EXIT_USAGE;
    case CB_ENOTFOUND:
    case CB_EREMOVED:
        return EXIT_NO_BREAKER;
    case CB_ENODAEMON:
    case CB_EUNREACHABLE:
        return EXIT_NO_DAEMON;
    case CB_EDENIED:
    case -EACCES:
    case -EPERM:
        return EXIT_DENIED;
    default:
        return EXIT_FAILED;
    }
}

int report_error(const char *subject, int error)
{
    const char *sentence = cb_last_error();
    return report(exit_code_of(error), "%s: %s", subject, *sentence ? sentence : cb_strerror(error));
}
