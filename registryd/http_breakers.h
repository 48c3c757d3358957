/* All breakers as JSON, each with what it did in the last minutes. */
#ifndef REGISTRYD_HTTP_BREAKERS_H
#define REGISTRYD_HTTP_BREAKERS_H

#include "registryd/http_request.h"

enum MHD_Result http_breakers_list(struct http_request *, const char *rest);

#endif
