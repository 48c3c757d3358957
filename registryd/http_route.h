/* Which address is answered by what. */
#ifndef REGISTRYD_HTTP_ROUTE_H
#define REGISTRYD_HTTP_ROUTE_H

#include "registryd/http_request.h"

enum MHD_Result http_route(struct http_request *);

#endif
