#include "registryd/http_json.h"

#include <stdio.h>

json_t *http_json_text(const char *text)
{
    char plain[512];
    json_t *value = json_string(text);
    if (value)
        return value;
    snprintf(plain, sizeof plain, "%s", text);
    for (char *c = plain; *c; c++)
        if ((unsigned char)*c > '~')
            *c = '?';
    return json_string(plain);
}

json_t *http_json_count(uint64_t count)
{
    return count == UINT64_MAX ? json_null() : json_integer((json_int_t)count);
}
