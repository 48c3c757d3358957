#include "tests/process/web.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

void web_free(struct web *web)
{
    free(web->headers);
    free(web->body);
    *web = (struct web){0};
}

unsigned web_port(const struct daemon *daemon)
{
    const char *at = strstr(daemon->ready, "http://127.0.0.1:");
    cr_assert(at, "the daemon did not say where it serves HTTP: %s", daemon->ready);
    return (unsigned)strtoul(at + strlen("http://127.0.0.1:"), NULL, 10);
}

int web_connect(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = 2 * HARNESS_DEADLINE_MS / 1000};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0, "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cr_assert(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "port %u: %s", port, strerror(errno));
    return fd;
}

/* Everything until the peer ends the connection; a reset ends it, too. */
static char *read_all(int fd, size_t *length)
{
    char *text = NULL, buffer[16384];
    FILE *file = open_memstream(&text, length);
    for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) != 0;) {
        if (got < 0 && errno == ECONNRESET)
            break;
        cr_assert(got > 0, "no answer in time: %s", strerror(errno));
        fwrite(buffer, 1, (size_t)got, file);
    }
    fclose(file);
    return text;
}

static void body_take_chunks(struct web *web, const char *from)
{
    FILE *file = open_memstream(&web->body, &web->length);
    char *end;
    for (size_t size; (size = strtoul(from, &end, 16)) > 0; from = end + 2 + size + 2)
        fwrite(end + 2, 1, size, file);
    cr_expect(end != from, "the chunks have an end");
    fclose(file);
}

static void answer_parse(struct web *web, char *text, size_t length)
{
    char encoding[256];
    char *end = length ? strstr(text, "\r\n\r\n") : NULL;
    if (end == NULL)
        return;
    web->raw = length;
    web->headers = strndup(text, (size_t)(end + 2 - text));
    web->status = atoi(text + strlen("HTTP/1.1 "));
    web->length = length - (size_t)(end + 4 - text);
    if (*web_header(web, "Transfer-Encoding", encoding) && web->length) {
        body_take_chunks(web, end + 4);
    } else {
        web->body = malloc(web->length + 1);
        memcpy(web->body, end + 4, web->length);
        web->body[web->length] = '\0';
    }
}

void web_send(struct web *web, unsigned port, const char *text)
{
    int fd = web_connect(port);
    size_t length = strlen(text);
    *web = (struct web){0};
    cr_assert(send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length, "send: %s", strerror(errno));
    char *answer = read_all(fd, &length);
    close(fd);
    answer_parse(web, answer, length);
    free(answer);
}

void web_ask(struct web *web, unsigned port, const char *what, const char *headers, const char *body)
{
    char *text;
    char host[] = "Host: localhost\r\n";
    if (headers && strcasestr(headers, "Host:"))
        *host = '\0';
    cr_assert(asprintf(&text, "%s HTTP/1.1\r\n%sConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s", what, host,
                       body ? strlen(body) : 0, headers ? headers : "", body ? body : "") > 0);
    web_send(web, port, text);
    free(text);
}

void web_get(struct web *web, unsigned port, const char *path)
{
    char what[512];
    snprintf(what, sizeof what, "GET %s", path);
    web_ask(web, port, what, NULL, NULL);
}

const char *web_header(const struct web *web, const char *name, char out[256])
{
    char start[64];
    snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *at = web->headers ? strcasestr(web->headers, start) : NULL;
    size_t length = at ? strcspn(at + strlen(start), "\r\n") : 0;
    snprintf(out, 256, "%.*s", (int)length, at ? at + strlen(start) : "");
    return out;
}

json_t *web_json(const struct web *web)
{
    json_error_t error;
    json_t *value = json_loads(web->body ? web->body : "", JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    cr_assert(value, "no JSON: %s: %s", error.text, web->body);
    return value;
}

json_t *web_get_json(unsigned port, const char *path)
{
    struct web web;
    web_get(&web, port, path);
    cr_assert(web.status == 200, "GET %s: %d: %s", path, web.status, web.body);
    json_t *value = web_json(&web);
    web_free(&web);
    return value;
}
