/* What happened, to which breaker, by whom: lines on stderr, or entries with fields where they go to systemd's journal. */
#ifndef REGISTRYD_LOG_H
#define REGISTRYD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h> /* LOG_ERR ... LOG_INFO */

/* An entry's field. The key: upper case letters, digits and underscores. */
struct log_field {
    const char *key, *value;
};

void log_say(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with fields (empty ones count as none), which lines do not show. */
void log_tell(int priority, const struct log_field *fields, size_t count, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Takes an entry whole; false: it could not, and a line is written. */
typedef bool log_taker(int priority, const struct log_field *fields, size_t count, const char *message);
/* Entries go there from now on. */
void log_to(log_taker *);

#endif
