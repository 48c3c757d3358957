/* The dashboard: the files of page/, which the build puts into the program. */
#ifndef REGISTRYD_HTTP_PAGE_H
#define REGISTRYD_HTTP_PAGE_H

#include "registryd/http_request.h"

struct http_page_file {
    const char *name, *type, *tag; /* its name below page/, Content-Type, ETag */
    const unsigned char *bytes;
    size_t size;
};

/* Made by page/embed.cmake. */
extern const struct http_page_file http_page_files[];
extern const size_t http_page_file_count;

/* The file `name`; "": index.html. */
enum MHD_Result http_page_show(struct http_request *, const char *name);

#endif
