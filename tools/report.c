#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

#define SUBJECT_SIZE 128 /* more than any valid name */

/* A name that is none may hold anything, and be of any length. */
static const char *subject_text(const char *subject, char out[SUBJECT_SIZE])
{
    size_t length = 0;
    for (; subject[length] && length < SUBJECT_SIZE - 4; length++)
        out[length] = iscntrl((unsigned char)subject[length]) ? '?' : subject[length];
    strcpy(out + length, subject[length] ? "..." : "");
    return out;
}

int report_error(const char *subject, int error)
{
    const char *sentence = cb_last_error();
    char text[SUBJECT_SIZE];
    return report(exit_code_of(error), "%s: %s", subject_text(subject, text),
                  *sentence ? sentence : cb_strerror(error));
}
