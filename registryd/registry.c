#include "registryd/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/keeper.h"
#include "core/object.h"
#include "core/panel.h"
#include "registryd/announce.h"
#include "registryd/control.h"
#include "registryd/log.h"

/* The lock in the runtime folder keeps a second daemon out of that folder; this keeps it out of the memory of one that
 * has another folder, and lets `cbctl --offline` finish first. */
static bool memory_keep(struct registry *registry)
{
    struct segment *segment = &registry->segment;
    int result = keeper_take(segment, KEEPER_DAEMON);
    if (result == -EBUSY && keeper_serves(segment))
        log_say(LOG_ERR, "the registry %s is served by another daemon (pid %u), at %.*s; end that one first",
                registry->name, keeper_pid(segment), PATH_SIZE - 1, segment->panel->socket);
    else if (result == -EBUSY)
        log_say(LOG_ERR, "the registry %s is being changed by pid %u; start again when that is done", registry->name,
                keeper_pid(segment));
    else if (result != 0)
        log_say(LOG_ERR, "the registry %s cannot be locked: %s", registry->name, strerror(-result));
    return result == 0;
}

/* Unmap it; the keeper leaves first, for the lock lies in it. */
static void memory_close(struct registry *registry)
{
    keeper_leave(&registry->segment);
    segment_close(&registry->segment);
}

/* ---- taking over ---- */

/* The memory's group and modes are those of the configuration now. */
static void memory_open_to(const char *name, gid_t group)
{
    for (enum object_kind object = OBJECT_PANEL; object <= OBJECT_LIVE; object++) {
        char path[OBJECT_PATH_SIZE];
        bool shared = group != GROUP_NONE;
        mode_t mode = !shared ? 0600 : object == OBJECT_PANEL ? 0640 : 0660;
        object_path(path, name, object);
        if ((shared && chown(path, (uid_t)-1, group) < 0) || chmod(path, mode) < 0)
            log_say(LOG_WARNING, "%s cannot be opened to its group: %s", path, strerror(errno));
    }
}

static void take_over(struct registry *registry, gid_t group, const char *socket)
{
    struct panel_header *header = registry->segment.panel_rw;
    if (strncmp(header->socket, socket, sizeof header->socket) != 0)
        snprintf(header->socket, sizeof header->socket, "%s", socket);
    memory_open_to(registry->name, group);
    uint32_t breakers = panel_recover(&registry->segment);
    log_say(LOG_INFO, "registry %s: took over its memory with %u of %u breakers", registry->name, breakers,
            registry->segment.capacity);
}

/* Errors of memory that is ours and of no use any more. */
static bool is_replaceable(int error)
{
    return error == SEGMENT_EVERSION || error == SEGMENT_ELAYOUT || error == SEGMENT_ERETIRED ||
           error == SEGMENT_ECORRUPT;
}

/* Breakers are not given up for memory that cannot be had: all of the new one is made, up to its name, which the old one
 * still bears. */
static bool is_affordable(const struct registry *registry, uint32_t capacity, gid_t group, const char *socket)
{
    struct geometry geometry;
    struct segment trial;
    char error[SEGMENT_ERROR_SIZE] = "";
    geometry_default(&geometry, capacity);
    int result = segment_create(registry->name, &geometry, group, socket, &trial, error);
    segment_close(&trial);
    if (result == 0 || result == -EEXIST)
        return true;
    log_say(LOG_ERR, "registry %s: stays with its capacity of %u: %s", registry->name, registry->segment.capacity,
            error);
    return false;
}

/* 1: joined; 0: there is none (any more); -1: said why not. */
static int join(struct registry *registry, uint32_t capacity, gid_t group, const char *socket)
{
    char error[SEGMENT_ERROR_SIZE] = "";
    int result = segment_open(registry->name, true, &registry->segment, error);
    if (result == SEGMENT_EABSENT)
        return 0;
    if (result == 0 && !memory_keep(registry))
        return -1;
    if (result == 0 && atomic_load(&registry->segment.panel->retired)) { /* its last keeper has just removed it */
        memory_close(registry);
        return 0;
    }
    if (result == 0 && (capacity == 0 || capacity == registry->segment.capacity))
        return 1;
    if (result == 0 && !is_affordable(registry, capacity, group, socket))
        return -1;
    if (result != 0 && !is_replaceable(result)) {
        log_say(LOG_ERR, "registry %s: %s", registry->name, error);
        return -1;
    }
    if (result == 0)
        log_say(LOG_WARNING, "registry %s: replaced, for its capacity changes from %u to %u; its breakers start anew",
                registry->name, registry->segment.capacity, capacity);
    else
        log_say(LOG_WARNING, "registry %s: replaced, its breakers start anew: %s", registry->name, error);
    segment_retire(registry->name, &registry->segment);
    memory_close(registry);
    return 0;
}

static bool create(struct registry *registry, uint32_t capacity, gid_t group, const char *socket,
                   const struct segment_content *content)
{
    struct geometry geometry;
    char error[SEGMENT_ERROR_SIZE] = "";
    geometry_default(&geometry, capacity ? capacity : CAPACITY_DEFAULT);
    int result = segment_create_with(registry->name, &geometry, group, socket, content, &registry->segment, error);
    if (result == 0)
        log_say(LOG_INFO, "registry %s: created with room for %u breakers (%llu KiB)", registry->name,
                registry->segment.capacity, (unsigned long long)geometry_size(&geometry) / 1024);
    else
        log_say(LOG_ERR, "registry %s: %s", registry->name, *error ? error : strerror(-result));
    if (result != 0 || !memory_keep(registry))
        return false;
    chronicle_heard(&registry->segment, events_last(&registry->segment)); /* it begins so: nothing has happened yet */
    return true;
}

bool registry_open(struct registry *registry, const char *name, uint32_t capacity, gid_t group, const char *socket,
                   const struct segment_content *content)
{
    *registry = (struct registry){0};
    snprintf(registry->name, sizeof registry->name, "%s", name);
    int joined = join(registry, capacity, group, socket);
    if (joined > 0)
        take_over(registry, group, socket);
    if (joined < 0 || (joined == 0 && !create(registry, capacity, group, socket, content))) {
        registry_close(registry);
        return false;
    }
    chronicle_subscribe(&registry->chronicle, announce, NULL);
    if (!chronicle_open(&registry->chronicle, &registry->segment)) {
        registry_close(registry);
        return false;
    }
    registry_look(registry);
    return true;
}

void registry_close(struct registry *registry)
{
    chronicle_close(&registry->chronicle);
    memory_close(registry);
}

/* ---- removing ---- */

bool registry_purge(const char *name)
{
    struct registry registry = {0};
    char error[SEGMENT_ERROR_SIZE] = "";
    snprintf(registry.name, sizeof registry.name, "%s", name);
    int result = segment_open(name, true, &registry.segment, error);
    bool refused = result == SEGMENT_EOWNER || (result == 0 && !memory_keep(&registry));
    if (result == SEGMENT_EOWNER)
        log_say(LOG_ERR, "registry %s: %s", name, error);
    if (!refused)
        segment_retire(name, &registry.segment);
    memory_close(&registry);
    return !refused;
}

/* ---- breakers ---- */

uint32_t registry_count(const struct registry *registry)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < registry->segment.capacity; slot++)
        count += (panel_commit(&registry->segment, slot) & TRAIT_USED) != 0;
    return count;
}

void registry_look(struct registry *registry)
{
    registry->timed = false;
    for (uint32_t slot = 0; slot < registry->segment.capacity && !registry->timed; slot++)
        registry->timed = (panel_commit(&registry->segment, slot) & TRAIT_CALL_TIMEOUT) != 0;
}

void registry_apply(struct registry *registry, const struct config *config)
{
    struct actor self = {.pid = (uint32_t)getpid(), .uid = (uint32_t)geteuid()};
    for (size_t i = 0; i < config->count; i++) {
        const struct config_breaker *breaker = &config->breakers[i];
        char error[SEGMENT_ERROR_SIZE] = "";
        uint32_t slot;
        int result = control_create(registry, self, breaker->name, &breaker->policy, &slot, error);
        if (result == PANEL_FOUND)
            result = control_set_policy(registry, self, slot, &breaker->policy, error);
        if (result < 0)
            log_say(LOG_ERR, "the configured breaker %s: %s", breaker->name, error);
    }
}
