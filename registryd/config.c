#include "registryd/config.h"

#include <errno.h>
#include <grp.h>
#include <search.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/policy_text.h"
#include "core/segment.h"
#include "registryd/inifile.h"
#include "registryd/log.h"

#define SETTINGS     "registryd" /* the section that is no breaker */
#define ENTRIES_MAX  64          /* lines of one breaker; there are fewer keys */
#define MESSAGE_SIZE 512

struct key_line {
    int line;
    char text[200]; /* "key=value"; libinih's lines are no longer */
};

/* Where the parser is. */
struct parse {
    const char *path;
    struct config *config;
    unsigned errors;
    enum { IN_NOTHING, IN_SETTINGS, IN_BREAKER, IN_REFUSED } where;
    unsigned seen;                  /* settings that were given: a bit each */
    struct config_breaker *breaker; /* IN_BREAKER: the last of config->breakers */
    struct key_line entries[ENTRIES_MAX];
    size_t entry_count;
};

static void __attribute__((format(printf, 3, 4))) complain(struct parse *parse, int line, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    log_say(LOG_ERR, "%s:%d: %s", parse->path, line, message);
    parse->errors++;
}

/* ---- settings ---- */

uint32_t capacity_parse(const char *text)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    bool number = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
    return number && value <= CAPACITY_MAX ? (uint32_t)value : 0;
}

static const char *set_registry(struct config *config, const char *value)
{
    if (!registry_name_valid(value))
        return "is not a registry's name: 1 to 63 bytes of A-Z a-z 0-9 . _ -";
    snprintf(config->registry, sizeof config->registry, "%s", value);
    return NULL;
}

static const char *set_capacity(struct config *config, const char *value)
{
    config->capacity = capacity_parse(value);
    return config->capacity ? NULL : "is not a number from 1 to 65536";
}

static const char *set_runtime_dir(struct config *config, const char *value)
{
    if (*value != '/' || strlen(value) >= sizeof config->runtime_dir)
        return "is not a folder's absolute path of at most 107 bytes";
    snprintf(config->runtime_dir, sizeof config->runtime_dir, "%s", value);
    return NULL;
}

static const char *set_state(struct config *config, const char *value)
{
    if (*value != '/' || strlen(value) >= sizeof config->state)
        return "is not a file's absolute path of at most 255 bytes";
    snprintf(config->state, sizeof config->state, "%s", value);
    return NULL;
}

static const char *group_parse(const char *value, gid_t *group)
{
    const struct group *found = getgrnam(value);
    if (found == NULL)
        return "is not a group of this host; create it with groupadd";
    *group = found->gr_gid;
    return NULL;
}

static const char *set_members(struct config *config, const char *value)
{
    return group_parse(value, &config->members);
}

static const char *set_administrators(struct config *config, const char *value)
{
    return group_parse(value, &config->administrators);
}

static const char *set_http(struct config *config, const char *value)
{
    return http_address_parse(value, &config->http);
}

static const char *set_http_token_file(struct config *config, const char *value)
{
    if (*value != '/' || strlen(value) >= sizeof config->http_token_file)
        return "is not a file's absolute path of at most 107 bytes";
    snprintf(config->http_token_file, sizeof config->http_token_file, "%s", value);
    return NULL;
}

/* Absolute, and there: the daemon runs it as itself, whatever PATH its own environment has. */
static const char *set_hook(struct config *config, const char *value)
{
    if (*value != '/' || strlen(value) >= sizeof config->hook)
        return "is not a command's absolute path of at most 107 bytes, without arguments";
    if (access(value, X_OK) != 0)
        return "is no file that can be run";
    snprintf(config->hook, sizeof config->hook, "%s", value);
    return NULL;
}

static const char *set_hook_timeout(struct config *config, const char *value)
{
    uint64_t ms;
    if (text_duration((struct text){value, strlen(value)}, &ms) || ms < 100 || ms > 3600000)
        return "is not a duration from 100ms to 1h";
    config->hook_timeout_ms = (uint32_t)ms;
    return NULL;
}

static const struct setting {
    const char *key;
    const char *(*set)(struct config *, const char *value); /* NULL, or what is wrong with it */
} settings[] = {
    {"registry", set_registry},
    {"capacity", set_capacity},
    {"runtime_dir", set_runtime_dir},
    {"state", set_state},
    {"members", set_members},
    {"administrators", set_administrators},
    {"http", set_http},
    {"http_token_file", set_http_token_file},
    {"hook", set_hook},
    {"hook_timeout", set_hook_timeout},
};
#define SETTING_COUNT (sizeof settings / sizeof *settings)

static void take_setting(struct parse *parse, int line, const char *key, const char *value)
{
    size_t i = 0;
    while (i < SETTING_COUNT && strcmp(settings[i].key, key) != 0)
        i++;
    if (i == SETTING_COUNT) {
        complain(parse, line,
                 "%s: unknown key; [" SETTINGS "] has registry, capacity, runtime_dir, state, members, "
                 "administrators, http, http_token_file, hook and hook_timeout",
                 key);
        return;
    }
    const char *wrong = parse->seen & 1u << i ? "is the key's second value" : settings[i].set(parse->config, value);
    parse->seen |= 1u << i;
    if (wrong)
        complain(parse, line, "%s: '%s' %s", key, value, wrong);
}

/* ---- breakers ---- */

/* policy_parse() begins its errors with the key; of a key that was given twice the second is the wrong one. */
static struct key_line *entry_blamed(struct parse *parse, const char *error)
{
    size_t length = strcspn(error, ":");
    for (size_t i = parse->entry_count; i-- > 0;) {
        const char *text = parse->entries[i].text;
        if (strncmp(text, error, length) == 0 && text[length] == '=')
            return &parse->entries[i];
    }
    return NULL;
}

static void entry_drop(struct parse *parse, struct key_line *entry)
{
    size_t behind = (size_t)(parse->entries + parse->entry_count - (entry + 1));
    memmove(entry, entry + 1, behind * sizeof *entry);
    parse->entry_count--;
}

static int entries_parse(const struct parse *parse, struct policy *policy, char error[POLICY_ERROR_SIZE])
{
    char text[ENTRIES_MAX * sizeof(struct key_line)];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < parse->entry_count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s ", parse->entries[i].text);
    return policy_parse(text, policy, error);
}

/* Each line that is refused is said and left out of the next try, until the rest is good. */
static void breaker_end(struct parse *parse)
{
    char error[POLICY_ERROR_SIZE];
    if (parse->where != IN_BREAKER)
        return;
    while (entries_parse(parse, &parse->breaker->policy, error) != 0) {
        struct key_line *entry = entry_blamed(parse, error);
        complain(parse, entry ? entry->line : parse->breaker->line, "[%s] %s", parse->breaker->name, error);
        if (entry == NULL)
            break;
        entry_drop(parse, entry);
    }
    parse->entry_count = 0;
}

static void take_entry(void *user, int line, const char *key, const char *value)
{
    struct parse *parse = user;
    if (parse->where == IN_NOTHING)
        complain(parse, line, "%s: stands before the first [SECTION]", key);
    if (parse->where == IN_SETTINGS)
        take_setting(parse, line, key, value);
    if (parse->where != IN_BREAKER)
        return;
    if (parse->entry_count == ENTRIES_MAX || *value == '\0' || strpbrk(key, " \t=") || strpbrk(value, " \t")) {
        complain(parse, line, "[%s] %s: '%s' is not one value", parse->breaker->name, key, value);
        return;
    }
    struct key_line *entry = &parse->entries[parse->entry_count++];
    entry->line = line;
    snprintf(entry->text, sizeof entry->text, "%s=%s", key, value);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct config_breaker *)a)->name, ((const struct config_breaker *)b)->name);
}

/* What is not used of the room is never touched, and so takes no memory. */
static struct config_breaker *breaker_add(struct config *config, const char *name, int line)
{
    if (config->breakers == NULL)
        config->breakers = calloc(CAPACITY_MAX, sizeof *config->breakers);
    if (config->breakers == NULL || config->count == CAPACITY_MAX)
        return NULL;
    struct config_breaker *breaker = &config->breakers[config->count];
    *breaker = (struct config_breaker){.line = line};
    snprintf(breaker->name, sizeof breaker->name, "%s", name);
    if (tsearch(breaker, &config->by_name, by_name) == NULL)
        return NULL;
    config->count++;
    return breaker;
}

static void take_breaker(struct parse *parse, int line, const char *name)
{
    const struct config_breaker *earlier = config_find(parse->config, name);
    parse->where = IN_REFUSED;
    if (!breaker_name_valid(name, strlen(name))) {
        complain(parse, line, "[%s] is not a breaker's name: 1 to 63 bytes of A-Z a-z 0-9 . _ : / @ -", name);
    } else if (earlier) {
        complain(parse, line, "[%s] stands in line %d already", name, earlier->line);
    } else {
        parse->breaker = breaker_add(parse->config, name, line);
        if (parse->breaker)
            parse->where = IN_BREAKER;
        else
            complain(parse, line, "[%s] no memory, or more than %d breakers", name, CAPACITY_MAX);
    }
}

static void take_section(void *user, int line, const char *name)
{
    struct parse *parse = user;
    breaker_end(parse);
    if (strcmp(name, SETTINGS) == 0)
        parse->where = IN_SETTINGS;
    else
        take_breaker(parse, line, name);
}

static void take_broken(void *user, int line, const char *what)
{
    complain(user, line, "%s", what);
}

/* ---- the whole ---- */

void config_init(struct config *config)
{
    *config = (struct config){.members = GROUP_NONE, .administrators = GROUP_NONE, .hook_timeout_ms = HOOK_TIMEOUT_MS};
}

static void no_free(void *breaker)
{
    (void)breaker;
}

void config_finish(struct config *config)
{
    tdestroy(config->by_name, no_free);
    free(config->breakers);
    config_init(config);
}

const struct config_breaker *config_find(const struct config *config, const char *name)
{
    struct config_breaker wanted;
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    struct config_breaker *const *found = tfind(&wanted, &config->by_name, by_name);
    return found ? *found : NULL;
}

static void check_count(struct parse *parse, size_t capacity)
{
    const struct config *config = parse->config;
    if (capacity == 0)
        capacity = config->capacity ? config->capacity : CAPACITY_DEFAULT;
    if (config->count > capacity)
        complain(parse, config->breakers[capacity].line,
                 "%zu breakers are more than the capacity of %zu; raise capacity in [" SETTINGS "]", config->count,
                 capacity);
}

unsigned config_load(struct config *config, const char *path, uint32_t capacity)
{
    struct parse *parse = calloc(1, sizeof *parse);
    if (parse == NULL) {
        log_say(LOG_ERR, "%s: no memory", path);
        return 1;
    }
    parse->path = path;
    parse->config = config;
    struct inifile_visitor visitor = {take_section, take_entry, take_broken, parse};
    int error = inifile_read(path, &visitor);
    breaker_end(parse);
    check_count(parse, capacity);
    if (error < 0)
        log_say(LOG_ERR, "%s cannot be read: %s", path, strerror(-error));
    unsigned errors = parse->errors + (error < 0);
    free(parse);
    return errors;
}
