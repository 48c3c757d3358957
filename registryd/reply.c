#include "registryd/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void reply_init(struct reply *reply)
{
    *reply = (struct reply){.message = CB__REPLY__INIT};
    reply->message.version = PROTOCOL_VERSION;
}

void reply_finish(struct reply *reply)
{
    free(reply->rows);
    free(reply->list);
    free(reply->sightings);
    reply->rows = NULL;
    reply->list = NULL;
    reply->sightings = NULL;
}

void reply_fail(struct reply *reply, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reply->error, sizeof reply->error, format, arguments);
    va_end(arguments);
    reply->message.code = code;
    reply->message.error = reply->error;
    reply->message.kind_case = CB__REPLY__KIND__NOT_SET;
}
