#include "worker.h"

#include <cbclient.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"
#include "event.h"

static void report(const struct worker_task *task, enum event_kind kind, uint64_t took_us)
{
    struct event event = {now_us(), took_us, task->crew, task->number, kind, 0};
    if (write(task->events, &event, sizeof event) != sizeof event)
        _exit(1); /* nobody is listening any more */
}

static CURL *client_create(uint16_t port)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    CURL *curl = curl_easy_init();
    if (!curl)
        _exit(1);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_TIMEOUT_MS);
    return curl;
}

static enum event_kind result_of(CURLcode code)
{
    if (code == CURLE_OK)
        return EVENT_SERVED;
    return code == CURLE_OPERATION_TIMEDOUT ? EVENT_TIMEOUT : EVENT_FAILED;
}

/* The protected call: ask, call, settle. */
static void call(const struct worker_task *task, cb_breaker *breaker, CURL *curl)
{
    cb_permit permit;
    if (cb_acquire(breaker, &permit) != CB_ADMITTED) {
        report(task, EVENT_REJECTED, 0);
        return;
    }
    if (cb_state_of(breaker) == CB_HALF_OPEN)
        report(task, EVENT_PROBE, 0);

    uint64_t began = now_us();
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        cb_success(&permit);
    else
        cb_failure(&permit);
    report(task, result_of(code), now_us() - began);
}

/* Sleep to the next moment of this worker's beat: every PACE_MS, the workers a few milliseconds apart. */
static void beat_wait(uint32_t number)
{
    uint64_t pace = PACE_MS * 1000, offset = number * pace / (2 * WORKERS);
    uint64_t next = (now_us() - offset) / pace * pace + pace + offset;
    struct timespec until = {(time_t)(next / 1000000), (long)(next % 1000000) * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

void worker_run(const struct worker_task *task)
{
    cb_registry *registry;
    cb_breaker *breaker;
    char name[16];
    snprintf(name, sizeof name, "worker-%u", task->number + 1);
    prctl(PR_SET_NAME, name);

    cb_attach(task->registry, &registry); /* without a registry the handle works too, in private memory */
    if (!registry)
        _exit(1);
    cb_get_or_create(registry, BREAKER, POLICY, &breaker);
    if (!breaker)
        _exit(1);
    CURL *curl = client_create(task->port);
    report(task, EVENT_READY, 0);
    for (;;) {
        beat_wait(task->number);
        call(task, breaker, curl);
    }
}
