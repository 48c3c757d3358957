/* The metrics of the registry as a whole, and of the daemon. */
#include "registryd/http_metrics.h"
#include "registryd/server.h"

static const struct http_label none[] = {{NULL, NULL}};

static void count(struct http_exposition *out, const char *name, const char *suffix, uint64_t value)
{
    http_sample(out, name, suffix, none);
    http_text_count(out->text, value);
    http_text_string(out->text, "\n");
}

static void seconds(struct http_exposition *out, const char *name, uint64_t ms)
{
    http_sample(out, name, "", none);
    http_text_seconds(out->text, ms);
    http_text_string(out->text, "\n");
}

static const struct segment *segment_of(const struct http *http)
{
    return &http->service->registry->segment;
}

static void build(struct http_exposition *out, const char *name, const struct http *http)
{
    const struct http_label labels[] = {{"version", CB_VERSION}, {"registry", http->registry}, {NULL, NULL}};
    http_sample(out, name, "_info", labels);
    http_text_string(out->text, "1\n");
}

static void breakers(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "", registry_count(http->service->registry));
}

static void capacity(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "", segment_of(http)->capacity);
}

static void workers(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "", reaper_count(http->service->reaper));
}

static void workers_max(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "", segment_of(http)->worker_count);
}

/* A worker's chunks are its alone, so they are what runs out. */
static void lanes_used(struct http_exposition *out, const char *name, const struct http *http)
{
    const struct segment *segment = segment_of(http);
    uint64_t used = 0;
    for (uint32_t chunk = 0; chunk < segment->chunk_count; chunk++)
        used += atomic_load_explicit(&segment->owners[chunk], memory_order_relaxed) != 0;
    count(out, name, "", used);
}

static void lanes_max(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "", segment_of(http)->chunk_count);
}

/* Of those that are attached: what a process counted goes with it, so this is no counter. */
static void untracked(struct http_exposition *out, const char *name, const struct http *http)
{
    const struct segment *segment = segment_of(http);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < segment->worker_count; i++)
        if (atomic_load_explicit(&segment->workers[i].process, memory_order_relaxed))
            sum += atomic_load_explicit(&segment->workers[i].untracked, memory_order_relaxed);
    count(out, name, "", sum);
}

static void damage(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "_total", atomic_load_explicit(&segment_of(http)->panel->damage_count, memory_order_relaxed));
}

static void started(struct http_exposition *out, const char *name, const struct http *http)
{
    seconds(out, name, http->started_ms);
}

static void lag(struct http_exposition *out, const char *name, const struct http *http)
{
    seconds(out, name, http->service->reaper->late_ms);
}

static void connections(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "", http->server->session_count);
}

static void http_connections(struct http_exposition *out, const char *name, const struct http *http)
{
    count(out, name, "", http->peers.count);
}

const struct http_registry_family http_registry_families[] = {
    {"cb_build", NULL, "The daemon's version and the registry's name.", METRIC_INFO, build},
    {"cb_registry_breakers", NULL, "Breakers there are.", METRIC_GAUGE, breakers},
    {"cb_registry_breakers_max", NULL, "Breakers there is room for.", METRIC_GAUGE, capacity},
    {"cb_registry_workers", NULL, "Processes attached and watched.", METRIC_GAUGE, workers},
    {"cb_registry_workers_max", NULL, "Processes there is room for.", METRIC_GAUGE, workers_max},
    {"cb_registry_lane_chunks", NULL, "Groups of 8 places for calls in flight that processes have taken.", METRIC_GAUGE,
     lanes_used},
    {"cb_registry_lane_chunks_max", NULL, "Groups of 8 places for calls in flight there are.", METRIC_GAUGE, lanes_max},
    {"cb_registry_untracked_calls", NULL, "Calls of the attached processes that found no such place.", METRIC_GAUGE,
     untracked},
    {"cb_registry_damage", NULL, "Times that damage to the memory was found and repaired.", METRIC_COUNTER, damage},
    {"cb_daemon_start_time_seconds", "seconds", "When the daemon started, since 1970.", METRIC_GAUGE, started},
    {"cb_daemon_reaper_lag_seconds", "seconds", "How much later than due the reaper's last turn was.", METRIC_GAUGE,
     lag},
    {"cb_daemon_connections", NULL, "Connections to the control socket.", METRIC_GAUGE, connections},
    {"cb_daemon_http_connections", NULL, "Connections over HTTP.", METRIC_GAUGE, http_connections},
    {NULL, NULL, NULL, METRIC_GAUGE, NULL},
};
