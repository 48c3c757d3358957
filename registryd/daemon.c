#include "registryd/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "registryd/access.h"
#include "registryd/hook.h"
#include "registryd/http.h"
#include "registryd/log.h"
#include "registryd/logbook.h"
#include "registryd/reaper.h"
#include "registryd/request.h"
#include "registryd/rundir.h"
#include "registryd/server.h"
#include "registryd/state.h"
#include "registryd/waker.h"

struct daemon {
    const struct options *options;
    struct config *config;
    const char *name;
    struct access access;
    struct rundir rundir;
    struct registry registry;
    struct state state;
    struct server server;
    struct waker waker;
    struct hooks hooks;
    struct reaper reaper;
    struct sightings sightings;
    struct service service;
    struct http http;
    uv_loop_t loop;
    uv_signal_t hangup, terminate, interrupt;
};

/* ---- settings: the command line before the file before the default ---- */

static const char *setting_name(const struct options *options, const struct config *config)
{
    const char *name = options->registry ? options->registry : *config->registry ? config->registry : "default";
    if (registry_name_valid(name))
        return name;
    log_say(LOG_ERR, "the registry's name \"%.80s\" is not valid: 1 to 63 bytes of A-Z a-z 0-9 . _ -", name);
    return NULL;
}

static const char *setting_dir(const struct options *options, const struct config *config)
{
    return options->runtime_dir ? options->runtime_dir : *config->runtime_dir ? config->runtime_dir : NULL;
}

static const char *setting_state(const struct options *options, const struct config *config)
{
    return options->state ? options->state : *config->state ? config->state : NULL;
}

/* False: what is wrong with it has been said. */
static bool setting_http(const struct options *options, const struct config *config, struct http_address *out)
{
    *out = config->http;
    const char *fault = options->http ? http_address_parse(options->http, out) : NULL;
    if (fault)
        log_say(LOG_ERR, "--http: '%s' %s", options->http, fault);
    return fault == NULL;
}

static uint32_t setting_capacity(const struct options *options, const struct config *config)
{
    return options->capacity ? options->capacity : config->capacity;
}

static bool setting_rundir(const struct options *options, const struct config *config, const char *name,
                           struct rundir *out)
{
    bool shared = geteuid() == 0 || config->members != GROUP_NONE || config->administrators != GROUP_NONE;
    return rundir_open(out, setting_dir(options, config), name, shared);
}

/* ---- reloading ---- */

static void say_fixed(const struct daemon *daemon, const struct config *next)
{
    const struct config *now = daemon->config;
    if (strcmp(next->registry, now->registry) != 0 || strcmp(next->runtime_dir, now->runtime_dir) != 0 ||
        strcmp(next->state, now->state) != 0 || strcmp(next->http.host, now->http.host) != 0 ||
        next->http.port != now->http.port || next->capacity != now->capacity || next->members != now->members)
        log_say(LOG_WARNING,
                "%s: changes of registry, runtime_dir, state, http, capacity and members take effect at the next start",
                daemon->options->config);
}

static void say_vanished(const struct daemon *daemon, const struct config *next)
{
    for (size_t i = 0; i < daemon->config->count; i++)
        if (config_find(next, daemon->config->breakers[i].name) == NULL)
            log_say(LOG_NOTICE, "breaker %s is not configured any more; it stays until somebody removes it",
                    daemon->config->breakers[i].name);
}

static void reload(struct daemon *daemon)
{
    struct config next;
    config_init(&next);
    if (config_load(&next, daemon->options->config, daemon->options->capacity) > 0) {
        log_say(LOG_ERR, "%s was not reloaded; what was in force stays so", daemon->options->config);
        config_finish(&next);
        return;
    }
    say_fixed(daemon, &next);
    say_vanished(daemon, &next);
    config_finish(daemon->config);
    *daemon->config = next;
    http_token_load(daemon->config->http_token_file, &daemon->http.token);
    daemon->access.administrators = next.administrators;
    registry_apply(&daemon->registry, daemon->config);
    log_say(LOG_NOTICE, "%s was reloaded", daemon->options->config);
}

/* ---- signals ---- */

static void on_hangup(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    struct timespec now;
    (void)number;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    if (daemon->options->config)
        reload(daemon);
    else
        log_say(LOG_NOTICE, "there is nothing to reload: started without --config");
    sd_notify(0, "READY=1");
}

static void on_end(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    log_say(LOG_INFO, "ends at %s; the memory of registry %s stays", strsignal(number), daemon->name);
    sd_notify(0, "STOPPING=1");
    uv_stop(&daemon->loop);
}

static void signal_start(struct daemon *daemon, uv_signal_t *handle, uv_signal_cb callback, int number)
{
    uv_signal_init(&daemon->loop, handle);
    handle->data = daemon;
    uv_signal_start(handle, callback, number);
}

static void signals_start(struct daemon *daemon)
{
    signal(SIGPIPE, SIG_IGN); /* a log that nobody reads any more is no reason to end */
    signal_start(daemon, &daemon->hangup, on_hangup, SIGHUP);
    signal_start(daemon, &daemon->terminate, on_end, SIGTERM);
    signal_start(daemon, &daemon->interrupt, on_end, SIGINT);
}

static void signals_stop(struct daemon *daemon)
{
    uv_close((uv_handle_t *)&daemon->hangup, NULL);
    uv_close((uv_handle_t *)&daemon->terminate, NULL);
    uv_close((uv_handle_t *)&daemon->interrupt, NULL);
}

/* ---- coming up and going down ---- */

#define FILES_LEAST 64 /* the daemon's own, and some connections and workers */

/* A descriptor a connection and one a worker. */
static bool raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return true;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= FILES_LEAST)
        return true;
    log_say(LOG_ERR, "%llu files may be open at once; each worker and connection needs one: raise the limit to 4096",
            (unsigned long long)limit.rlim_cur);
    return false;
}

/* systemd's `status` shows it, and the log: for port 0 it is the only way to learn where. */
static void say_ready(const struct daemon *daemon)
{
    char url[HTTP_URL_SIZE] = "";
    if (http_is_on(&daemon->http))
        http_address_url(&daemon->http.address, url);
    const char *and = *url ? " and " : "";
    sd_notifyf(0, "READY=1\nSTATUS=registry %s on %s%s%s", daemon->name, daemon->server.path, and, url);
    log_say(LOG_INFO, "ready: registry %s on %s%s%s", daemon->name, daemon->server.path, and, url);
}

static void serve(struct daemon *daemon)
{
    daemon->service = (struct service){
        .registry = &daemon->registry,
        .reaper = &daemon->reaper,
        .access = &daemon->access,
        .started_ms = segment_now_ms(&daemon->registry.segment),
        .sightings = &daemon->sightings,
        .state = &daemon->state,
    };
    server_start(&daemon->server, &daemon->loop, &daemon->service);
    waker_start(&daemon->waker, &daemon->loop, &daemon->registry, &daemon->server);
    hooks_start(&daemon->hooks, &daemon->loop, &daemon->registry, daemon->config);
    http_start(&daemon->http, &daemon->server);
    signals_start(daemon);
    say_ready(daemon);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    signals_stop(daemon);
    http_stop(&daemon->http);
    waker_stop(&daemon->waker);
    hooks_stop(&daemon->hooks);
    server_stop(&daemon->server);
}

/* For control messages, and for HTTP where it is on. */
static bool listen_all(struct daemon *daemon)
{
    struct http_address address;
    if (!setting_http(daemon->options, daemon->config, &address) ||
        !http_token_load(daemon->config->http_token_file, &daemon->http.token) ||
        !server_listen(&daemon->server, daemon->rundir.socket, access_group(&daemon->access)))
        return false;
    if (http_listen(&daemon->http, &address))
        return true;
    server_abandon(&daemon->server);
    return false;
}

static void abandon(struct daemon *daemon)
{
    http_abandon(&daemon->http);
    server_abandon(&daemon->server);
}

/* From now on worker deaths and calls in flight are seen. */
static bool watch_start(struct daemon *daemon)
{
    if (!reaper_start(&daemon->reaper, &daemon->loop, &daemon->registry))
        return false;
    if (sightings_start(&daemon->sightings, &daemon->loop, &daemon->registry.segment))
        return true;
    reaper_stop(&daemon->reaper);
    return false;
}

static void watch_stop(struct daemon *daemon)
{
    sightings_stop(&daemon->sightings);
    reaper_stop(&daemon->reaper);
}

/* Memory that is made anew begins with what the state file has. */
static bool memory_open(struct daemon *daemon)
{
    uint32_t capacity = setting_capacity(daemon->options, daemon->config);
    struct segment_content content = state_content(&daemon->state);
    if (!state_open(&daemon->state, setting_state(daemon->options, daemon->config), daemon->name))
        return false;
    if (registry_open(&daemon->registry, daemon->name, capacity, access_group(&daemon->access), daemon->server.path,
                      &content))
        return true;
    state_close(&daemon->state);
    return false;
}

/* The socket listens before the memory appears that names it: who finds the memory finds somebody who answers. */
static int run_listening(struct daemon *daemon)
{
    if (!memory_open(daemon)) {
        abandon(daemon);
        return 1;
    }
    uv_loop_init(&daemon->loop);
    registry_apply(&daemon->registry, daemon->config);
    bool started = state_start(&daemon->state, &daemon->loop, &daemon->registry) && watch_start(daemon);
    if (started) {
        serve(daemon);
        watch_stop(daemon);
    } else {
        abandon(daemon);
    }
    state_stop(&daemon->state);
    uv_run(&daemon->loop, UV_RUN_DEFAULT); /* until the handles are closed */
    uv_loop_close(&daemon->loop);
    state_close(&daemon->state);
    registry_close(&daemon->registry);
    return started ? 0 : 1;
}

int daemon_check(const struct options *options, const struct config *config)
{
    struct http_token token;
    if (setting_name(options, config) == NULL || !http_token_load(config->http_token_file, &token))
        return 1;
    printf("%s: OK\n", options->config);
    return 0;
}

int daemon_run(const struct options *options, struct config *config)
{
    static struct daemon daemon;
    daemon = (struct daemon){.options = options, .config = config, .name = setting_name(options, config)};
    daemon.access = (struct access){.members = config->members, .administrators = config->administrators};
    umask(077);
    if (daemon.name)
        logbook_registry(daemon.name);
    if (!raise_limits() || daemon.name == NULL || !setting_rundir(options, config, daemon.name, &daemon.rundir))
        return 1;
    int status = 1;
    if (access_group(&daemon.access) != GROUP_NONE)
        rundir_share(&daemon.rundir, setting_dir(options, config) == NULL);
    if (listen_all(&daemon))
        status = run_listening(&daemon);
    rundir_close(&daemon.rundir);
    return status;
}

int daemon_purge(const struct options *options, const struct config *config)
{
    struct rundir rundir;
    const char *name = setting_name(options, config);
    if (name == NULL || !setting_rundir(options, config, name, &rundir))
        return 1;
    bool purged = registry_purge(name);
    if (purged)
        rundir_sweep(&rundir);
    rundir_close(&rundir);
    return purged ? 0 : 1;
}
