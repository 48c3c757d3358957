/* What happened, to which breaker, by whom: lines on stderr, with a priority in front where systemd reads them. */
#ifndef REGISTRYD_LOG_H
#define REGISTRYD_LOG_H

#include <syslog.h> /* LOG_ERR ... LOG_INFO */

void log_say(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
