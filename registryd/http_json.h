/* Values of JSON that need care. The caller's reference, NULL without memory. */
#ifndef REGISTRYD_HTTP_JSON_H
#define REGISTRYD_HTTP_JSON_H

#include <jansson.h>
#include <stdint.h>

/* What is not UTF-8 (a process may call itself what it likes) has question marks for all that is not ASCII. */
json_t *http_json_text(const char *text);

/* UINT64_MAX, "no end", is null. */
json_t *http_json_count(uint64_t count);

#endif
