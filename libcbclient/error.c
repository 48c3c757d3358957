#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

static _Thread_local char last_error[512] = "no error";

_Static_assert(sizeof last_error >= SEGMENT_ERROR_SIZE, "core's sentences fit");
_Static_assert(sizeof last_error >= POLICY_ERROR_SIZE, "and those about policies");

void fail_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
}

char *error_buffer(void)
{
    return last_error;
}

const char *cb_last_error(void)
{
    return last_error;
}

static const struct {
    int code;
    const char *text;
} errors[] = {
    {CB_ENODAEMON, "no such registry: registryd is not running"},
    {CB_EUNREACHABLE, "registryd does not answer"},
    {CB_EOWNER, "the registry's memory belongs to another user or is writable by others"},
    {CB_EVERSION, "the registry was made by an incompatible version"},
    {CB_ELAYOUT, "the registry has another memory layout: another libc or word size"},
    {CB_ENAMESPACE, "the registry belongs to another PID or time namespace"},
    {CB_ERETIRED, "the registry has been replaced"},
    {CB_ECORRUPT, "the registry's memory is damaged"},
    {CB_ENAME, "not a valid name"},
    {CB_EPOLICY, "not a policy that can work"},
    {CB_EFULL, "the registry is full"},
    {CB_ENOTFOUND, "no such breaker"},
    {CB_EREMOVED, "the breaker was removed"},
    {CB_ESETTLED, "the permit holds nothing"},
    {CB_ENOTMINE, "the permit belongs to another process"},
    {CB_EOVERDUE, "the call had been counted as overdue"},
    {CB_EDENIED, "permission denied by registryd"},
    {CB_EPROTOCOL, "not the protocol"},
    {CB_EREASON, "not a valid reason"},
    {CB_ERUNNING, "registryd runs: the memory is its own to change"},
    {CB_REJECTED_OPEN, "rejected: open"},
    {CB_REJECTED_PROBES, "rejected: all probes are under way"},
    {CB_REJECTED_CONCURRENCY, "rejected: too many calls in flight"},
    {CB_MISSED, "events were overwritten before they were read"},
    {CB_POLICY_DIFFERS, "the breaker exists with another policy"},
    {0, "done"},
};

const char *cb_strerror(int code)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == code)
            return errors[i].text;
    /* strerrordesc_np: no buffer, no locale, safe between threads. */
    const char *text = code < 0 && code > -4096 ? strerrordesc_np(-code) : NULL;
    return text ? text : "unknown error";
}
