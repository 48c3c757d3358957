/* Is all well? For load balancers, monitors and whoever wonders. */
#ifndef REGISTRYD_HTTP_HEALTH_H
#define REGISTRYD_HTTP_HEALTH_H

#include "registryd/http_request.h"

/* 200 when the reaper turns and a process could join the memory; else 503, with what is wrong. */
enum MHD_Result http_health_show(struct http_request *, const char *rest);

#endif
