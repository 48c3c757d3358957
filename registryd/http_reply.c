#include "registryd/http_reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registryd/http_json.h"

#define ERROR_SIZE 512
#define TYPE_JSON  "application/json"

/* Scripts and styles are our own files; nobody may frame the page, which has buttons. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *name, *value;
} headers[] = {
    {MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY, policy}, {MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff"},
    {MHD_HTTP_HEADER_X_FRAME_OPTIONS, "DENY"},         {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

enum MHD_Result http_reply_queue(struct MHD_Connection *connection, unsigned status, const char *type,
                                 struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i].name, headers[i].value);
    /* Nothing here is true for long; what may be kept says so itself. */
    if (MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL) == NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* To HEAD, libmicrohttpd would send the last chunk of the body that is not sent; the next answer would begin with it. */
enum MHD_Result http_reply_stream(struct MHD_Connection *connection, const char *method, const char *type,
                                  struct MHD_Response *response)
{
    if (response && strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return http_reply_queue(connection, MHD_HTTP_OK, type, response);
}

enum MHD_Result http_reply_json(struct MHD_Connection *connection, unsigned status, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(value);
    if (text == NULL)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(text);
    return http_reply_queue(connection, status, TYPE_JSON, response);
}

enum MHD_Result http_reply_error(struct MHD_Connection *connection, unsigned status, const char *format, ...)
{
    char text[ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return http_reply_json(connection, status, json_pack("{s:o}", "error", http_json_text(text)));
}

/* {"error": what} with one more header. */
static enum MHD_Result reply_with(struct MHD_Connection *connection, unsigned status, const char *what,
                                  const char *header, const char *value)
{
    char text[ERROR_SIZE];
    int length = snprintf(text, sizeof text, "{\"error\":\"%s\"}", what);
    struct MHD_Response *response = MHD_create_response_from_buffer((size_t)length, text, MHD_RESPMEM_MUST_COPY);
    if (response)
        MHD_add_response_header(response, header, value);
    return http_reply_queue(connection, status, TYPE_JSON, response);
}

enum MHD_Result http_reply_not_allowed(struct MHD_Connection *connection, const char *allow)
{
    char what[128];
    snprintf(what, sizeof what, "here is only %s", allow);
    return reply_with(connection, MHD_HTTP_METHOD_NOT_ALLOWED, what, MHD_HTTP_HEADER_ALLOW, allow);
}

enum MHD_Result http_reply_unauthorized(struct MHD_Connection *connection, const char *what)
{
    return reply_with(connection, MHD_HTTP_UNAUTHORIZED, what, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
}
