/* Which names registries and breakers may have. */
#include "core/segment.h"

#include <string.h>

static bool alphanumeric(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool name_valid(const char *name, size_t length, const char *punctuation)
{
    if (length < 1 || length >= NAME_SIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!alphanumeric(name[i]) && (name[i] == '\0' || strchr(punctuation, name[i]) == NULL))
            return false;
    return true;
}

bool registry_name_valid(const char *name)
{
    return name_valid(name, strnlen(name, NAME_SIZE), "._-") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

bool breaker_name_valid(const char *name, size_t length)
{
    return name_valid(name, length, "._:/@-");
}
