/*
 * redisbench - the same closed and open call through a breaker whose state is in Redis.
 *
 *     redisbench        prints "closed NANOSECONDS" and "open NANOSECONDS", the median of several runs
 *
 * The simplest breaker that is honest: one key says that it is open and lives as long as that lasts, one counts the
 * consecutive failures. A call asks for both with one command; its success writes only if there are failures to forget.
 * It knows no probes, windows, latencies or counts of calls, and notices no worker that dies.
 */
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/interrupt.h"
#include "server.h"

#define RUNS      15
#define TURNS     5000
#define THRESHOLD 5

enum call { CALL_ADMITTED, CALL_REJECTED, CALL_ERROR };

struct breaker {
    redisContext *redis;
    bool failing; /* as the call was admitted */
};

static void command_run(struct breaker *breaker, const char *command)
{
    freeReplyObject(redisCommand(breaker->redis, command));
}

static enum call breaker_acquire(struct breaker *breaker)
{
    redisReply *reply = redisCommand(breaker->redis, "MGET payments:open payments:failures");
    enum call answer = CALL_ERROR;
    if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
        answer = reply->element[0]->type == REDIS_REPLY_NIL ? CALL_ADMITTED : CALL_REJECTED;
        breaker->failing = reply->element[1]->type != REDIS_REPLY_NIL;
    }
    freeReplyObject(reply);
    return answer;
}

static void breaker_success(struct breaker *breaker)
{
    if (breaker->failing)
        command_run(breaker, "DEL payments:failures");
}

static void breaker_failure(struct breaker *breaker)
{
    redisReply *reply = redisCommand(breaker->redis, "INCR payments:failures");
    if (reply && reply->type == REDIS_REPLY_INTEGER && reply->integer >= THRESHOLD)
        command_run(breaker, "SET payments:open 1 PX 3600000");
    freeReplyObject(reply);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Nanoseconds a call; negative: not all were answered as they should. */
static double calls(struct breaker *breaker, enum call expected)
{
    unsigned good = 0;
    uint64_t began = now_ns();
    for (unsigned i = 0; i < TURNS && !interrupted; i++) {
        enum call answer = breaker_acquire(breaker);
        good += answer == expected;
        if (answer == CALL_ADMITTED)
            breaker_success(breaker);
    }
    return good == TURNS ? (double)(now_ns() - began) / TURNS : -1;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static bool row_print(struct breaker *breaker, const char *name, enum call expected)
{
    double took[RUNS];
    calls(breaker, expected); /* warms up */
    for (unsigned run = 0; run < RUNS; run++)
        took[run] = calls(breaker, expected);
    qsort(took, RUNS, sizeof *took, compare);
    printf("%s %.1f\n", name, took[RUNS / 2]);
    return took[0] > 0;
}

static bool measure(const struct server *server)
{
    struct breaker breaker = {.redis = redisConnectUnix(server->socket)};
    bool good = breaker.redis && !breaker.redis->err && row_print(&breaker, "closed", CALL_ADMITTED);
    for (unsigned i = 0; i < THRESHOLD && good; i++)
        breaker_failure(&breaker);
    good = good && row_print(&breaker, "open", CALL_REJECTED);
    if (breaker.redis)
        redisFree(breaker.redis);
    return good;
}

int main(void)
{
    struct server server;
    interrupt_catch();
    if (!server_start(&server)) {
        fprintf(stderr, "redisbench: redis-server does not start\n");
        return 2;
    }
    bool good = measure(&server);
    server_stop(&server);
    return good ? 0 : 2;
}
