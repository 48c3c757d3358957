/* What cbctl says when something is wrong, and the exit code that goes with it. */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NO_BREAKER = 3,
    EXIT_NO_DAEMON = 4,
    EXIT_DENIED = 5,
    EXIT_REJECTED = 75, /* EX_TEMPFAIL: come back later */
};

/* Print "cbctl: ..." on stderr; returns `code`. */
__attribute__((format(printf, 2, 3))) int report(int code, const char *format, ...);

/* An error of the library about `subject` (a breaker or a registry), with the library's own sentence; returns the exit
 * code for it. To be called before anything else is asked of the library. */
int report_error(const char *subject, int error);

#endif
