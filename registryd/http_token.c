#include "registryd/http_token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registryd/log.h"

/* Ours or root's; a group may read it, others nothing. */
static bool is_private(const char *path, int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        log_say(LOG_ERR, "http_token_file %s is no file", path);
        return false;
    }
    if (status.st_uid != 0 && status.st_uid != geteuid()) {
        log_say(LOG_ERR,
                "http_token_file %s belongs to uid %u; it must belong to root or to uid %u, who runs the daemon", path,
                (unsigned)status.st_uid, (unsigned)geteuid());
        return false;
    }
    if (status.st_mode & 027) {
        log_say(LOG_ERR, "http_token_file %s has mode %04o: others could learn or change the token; chmod 0600 or 0640",
                path, (unsigned)status.st_mode & 07777);
        return false;
    }
    return true;
}

/* Cut behind the first line; what is behind it is wiped. */
static bool line_take(const char *path, char text[HTTP_TOKEN_SIZE + 1])
{
    size_t length = strcspn(text, "\r\n");
    memset(text + length, 0, HTTP_TOKEN_SIZE + 1 - length);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~') {
            log_say(LOG_ERR, "http_token_file %s: a token is printable ASCII without blanks; byte %zu is not", path,
                    i + 1);
            return false;
        }
    if (length >= HTTP_TOKEN_LEAST && length < HTTP_TOKEN_SIZE)
        return true;
    log_say(LOG_ERR, "http_token_file %s: its first line has %zu characters; a token has %d to %d", path, length,
            HTTP_TOKEN_LEAST, HTTP_TOKEN_SIZE - 1);
    return false;
}

bool http_token_load(const char *path, struct http_token *out)
{
    char text[HTTP_TOKEN_SIZE + 1] = ""; /* room to see that there is more */
    if (*path == '\0') {
        *out = (struct http_token){.text = ""};
        return true;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length < 0)
        log_say(LOG_ERR, "http_token_file %s: %s", path, strerror(errno));
    bool taken = length >= 0 && is_private(path, fd) && line_take(path, text);
    if (fd >= 0)
        close(fd);
    if (taken)
        memcpy(out->text, text, sizeof out->text);
    explicit_bzero(text, sizeof text);
    return taken;
}

bool http_token_is(const struct http_token *token, const char *given)
{
    char other[HTTP_TOKEN_SIZE] = "";
    unsigned differs = *token->text == '\0' || strlen(given) >= sizeof other;
    strncpy(other, given, sizeof other - 1);
    for (size_t i = 0; i < sizeof other; i++)
        differs |= (unsigned char)(token->text[i] ^ other[i]);
    return !differs;
}
