#include "registryd/http_page.h"

#include <string.h>

#include "registryd/http_reply.h"

static const struct http_page_file *file_find(const char *name)
{
    for (size_t i = 0; i < http_page_file_count; i++)
        if (strcmp(http_page_files[i].name, *name ? name : "index.html") == 0)
            return &http_page_files[i];
    return NULL;
}

enum MHD_Result http_page_show(struct http_request *request, const char *name)
{
    const struct http_page_file *file = file_find(name);
    if (file == NULL)
        return http_reply_error(request->connection, MHD_HTTP_NOT_FOUND,
                                "there is no /%.100s here; there are /, /metrics, /healthz, /api/v1/breakers and "
                                "/api/v1/events",
                                name);
    const char *known = http_request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool same = known && strstr(known, file->tag);
    void *bytes = (void *)(uintptr_t)file->bytes; /* MHD only reads it */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(same ? 0 : file->size, bytes, MHD_RESPMEM_PERSISTENT);
    if (response) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, file->tag);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    }
    return http_reply_queue(request->connection, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, file->type, response);
}
