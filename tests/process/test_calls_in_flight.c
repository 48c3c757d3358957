/* The calls in flight of all processes: whose, since when, and what they are. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "cbclient.h"
#include "tests/process/await.h"
#include "tests/process/wire.h"

#define HOUR_MS  3600000
#define MANY     10000
#define SEEN_MAX (MANY + 16)

static struct daemon host;
static cb_registry *registry;

static void begin(void)
{
    daemon_start(&host, NULL);
    cr_assert_eq(cb_attach(host.registry, &registry), 0, "%s", cb_last_error());
}

static void end(void)
{
    cb_detach(&registry);
    daemon_stop(&host);
}

TestSuite(calls_in_flight, .init = begin, .fini = end);

static cb_breaker *breaker_of(const char *name, const char *policy)
{
    cb_breaker *breaker = NULL;
    cr_assert_geq(cb_get_or_create(registry, name, policy, &breaker), 0, "%s", cb_last_error());
    return breaker;
}

static cb_permit acquired(cb_breaker *breaker)
{
    cb_permit permit;
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    return permit;
}

/* ---- what is listed ---- */

static struct cb_inflight seen[SEEN_MAX];
static size_t seen_count;

static int note(const struct cb_inflight *call, void *arg)
{
    (void)arg;
    if (seen_count < SEEN_MAX)
        seen[seen_count++] = *call;
    return 0;
}

static size_t look(void)
{
    seen_count = 0;
    cr_assert_eq(cb_list_calls(registry, note, NULL), 0, "%s", cb_last_error());
    return seen_count;
}

static const struct cb_inflight *call_of(const char *name)
{
    look();
    for (size_t i = 0; i < seen_count; i++)
        if (!strcmp(seen[i].name, name))
            return &seen[i];
    return NULL;
}

/* ---- workers that hang ---- */

struct hanging {
    const char *breaker, *command;
    int ready[2];
    pid_t pid;
};

static void hangs(void *arg)
{
    struct hanging *worker = arg;
    cb_registry *own;
    cb_breaker *breaker;
    cb_permit permit;
    prctl(PR_SET_NAME, worker->command);
    child_check(cb_attach(host.registry, &own) == 0 && cb_get(own, worker->breaker, &breaker) == 0);
    child_check(cb_acquire(breaker, &permit) == CB_ADMITTED);
    child_check(write(worker->ready[1], "", 1) == 1);
    for (;;)
        pause();
}

static struct hanging hanging(const char *breaker, const char *command)
{
    struct hanging worker = {.breaker = breaker, .command = command};
    char byte;
    cr_assert_eq(pipe(worker.ready), 0);
    worker.pid = fork_child(hangs, &worker);
    close(worker.ready[1]);
    cr_assert_eq(read(worker.ready[0], &byte, 1), 1, "the worker has not come to its call");
    close(worker.ready[0]);
    return worker;
}

static void killed(const struct hanging *worker)
{
    kill(worker->pid, SIGKILL);
    child_wait(worker->pid);
}

/* Open, and its time is over: the next call is a probe. */
static void to_half_open(cb_breaker *breaker)
{
    cr_assert_eq(cb_trip(breaker, NULL), 0);
    wait_until(cb_state_of(breaker) == CB_HALF_OPEN);
}

Test(calls_in_flight, each_tells_its_process_and_what_it_is)
{
    breaker_of("plain", NULL);
    breaker_of("timed", "call_timeout=1h");
    breaker_of("limited", "max_concurrent=3");
    to_half_open(breaker_of("probed", "open_timeout=1ms"));
    struct hanging workers[] = {hanging("plain", "first"), hanging("timed", "second (2)"), hanging("limited", "third"),
                                hanging("probed", "fourth")};
    cr_assert_eq(look(), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct cb_inflight *call = call_of(workers[i].breaker);
        cr_assert(call, "%s", workers[i].breaker);
        cr_expect_eq(call->pid, (uint32_t)workers[i].pid);
        cr_expect_str_eq(call->command, workers[i].command);
        cr_expect_eq(call->probe, i == 3, "%s: probe %d", call->name, call->probe);
        cr_expect_eq(call->place, i == 2, "%s: place %d", call->name, call->place);
        cr_expect_eq(call->exact, i != 0, "%s: exact %d", call->name, call->exact);
        cr_expect_lt(call->age_ms, HOUR_MS, "%s", call->name);
    }
    for (size_t i = 0; i < 4; i++)
        killed(&workers[i]);
    wait_until(look() == 0);
}

static int stops(const struct cb_inflight *call, void *arg)
{
    (void)call;
    ++*(int *)arg;
    return 7;
}

Test(calls_in_flight, a_visit_can_end_the_list)
{
    int calls = 0;
    cb_breaker *breaker = breaker_of("plain", NULL);
    cb_permit one = acquired(breaker), other = acquired(breaker);
    cr_assert_eq(cb_list_calls(registry, stops, &calls), 7);
    cr_assert_eq(calls, 1);
    cr_assert_eq(cb_list_calls(registry, NULL, NULL), -EINVAL);
    cb_success(&one);
    cb_success(&other);
    cr_assert_eq(look(), 0);
}

/* ---- since when ---- */

/* What the age of a call that began after `moment` cannot exceed: the memory's clock is the kernel's tick. */
static uint64_t since(uint64_t moment)
{
    return now_us() / 1000 - moment + 20;
}

Test(calls_in_flight, the_oldest_comes_first_and_no_age_is_too_high)
{
    cb_breaker *plain = breaker_of("plain", NULL), *timed = breaker_of("timed", "call_timeout=1h");
    uint64_t began = now_us() / 1000;
    cb_permit oldest = acquired(plain);
    wait_until(look() == 1 && seen[0].age_ms >= 300);
    uint64_t later = now_us() / 1000;
    cb_permit second = acquired(timed);
    wait_until(call_of("timed")->age_ms >= 300);
    uint64_t last = now_us() / 1000;
    cb_permit youngest = acquired(plain);
    cr_assert_eq(look(), 3);
    cr_expect(!strcmp(seen[0].name, "plain") && !strcmp(seen[1].name, "timed") && !strcmp(seen[2].name, "plain"));
    cr_expect(seen[0].age_ms >= seen[1].age_ms && seen[1].age_ms >= seen[2].age_ms);
    cr_expect_leq(seen[0].age_ms, since(began));
    cr_expect_leq(seen[1].age_ms, since(later));
    cr_expect_leq(seen[2].age_ms, since(last));
    cb_success(&oldest);
    cb_success(&second);
    cb_success(&youngest);
}

Test(calls_in_flight, the_next_call_in_the_same_place_is_another_one)
{
    cb_breaker *plain = breaker_of("plain", NULL);
    cb_permit permit = acquired(plain);
    wait_until(look() == 1 && seen[0].age_ms >= 300);
    cb_success(&permit);
    uint64_t next = now_us() / 1000;
    permit = acquired(plain);
    wait_until(look() == 1 && seen[0].age_ms >= 100);
    cr_expect_leq(seen[0].age_ms, since(next));
    cb_success(&permit);
}

Test(calls_in_flight, without_the_daemon_only_some_know_their_age)
{
    cb_permit plain = acquired(breaker_of("plain", NULL)), timed = acquired(breaker_of("timed", "call_timeout=1h"));
    wait_until(look() == 2 && seen[0].age_ms >= 300 && seen[1].age_ms >= 300);
    daemon_kill(&host);
    cr_assert_eq(look(), 2);
    cr_expect_str_eq(seen[0].name, "timed");
    cr_expect(seen[0].exact && seen[0].age_ms >= 300);
    cr_expect_str_eq(seen[1].name, "plain", "of unknown age: last");
    cr_expect(!seen[1].exact && seen[1].age_ms == UINT64_MAX);
    daemon_restart(&host);
    cr_assert_eq(look(), 2);
    cr_expect_str_eq(seen[1].name, "plain");
    cr_expect_lt(seen[1].age_ms, HOUR_MS);
    cb_success(&plain);
    cb_success(&timed);
}

/* ---- who has gone ---- */

Test(calls_in_flight, a_killed_workers_call_stays_until_a_daemon_settles_it)
{
    breaker_of("plain", NULL);
    daemon_kill(&host);
    struct hanging worker = hanging("plain", "victim");
    cr_assert_eq(look(), 1);
    cr_expect_str_eq(seen[0].command, "victim");
    killed(&worker);
    cr_assert_eq(look(), 1);
    cr_expect_str_eq(seen[0].command, "", "its process has ended");
    daemon_restart(&host);
    wait_until(look() == 0);
}

Test(calls_in_flight, a_removed_breakers_call_has_no_name)
{
    cb_breaker *breaker = breaker_of("short-lived", NULL);
    cb_permit permit = acquired(breaker);
    cr_assert_eq(cb_remove(breaker, NULL), 0);
    cr_assert_eq(look(), 1);
    cr_expect_str_eq(seen[0].name, "");
    cb_success(&permit);
}

Test(calls_in_flight, an_overdue_call_is_not_in_flight_any_more)
{
    cb_permit permit = acquired(breaker_of("hasty", "call_timeout=1ms"));
    wait_until(look() == 0);
    cr_assert_eq(cb_success(&permit), CB_EOVERDUE);
}

/* ---- many ---- */

Test(calls_in_flight, ten_thousand_of_one_process)
{
    static cb_permit permits[MANY];
    struct cb_snapshot counts;
    cb_breaker *breaker = breaker_of("busy", NULL);
    for (int i = 0; i < MANY; i++)
        permits[i] = acquired(breaker);
    cr_assert_eq(look(), MANY);
    for (size_t i = 0; i < MANY; i++)
        cr_assert(seen[i].age_ms < HOUR_MS && seen[i].pid == (uint32_t)getpid(), "call %zu", i);
    wait_until(look() == MANY && seen[MANY - 1].age_ms >= 100); /* each is told of, on several pages */
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(cb_success(&permits[i]), 0);
    cr_assert_eq(look(), 0);
    cr_assert_eq(cb_snapshot_of(breaker, &counts, sizeof counts), 0);
    cr_assert(counts.successes == MANY && counts.in_flight == 0);
}

static Cb__Reply *ask_from(int fd, uint32_t from)
{
    Cb__Calls calls = CB__CALLS__INIT;
    Cb__Request request = CB__REQUEST__INIT;
    request.kind_case = CB__REQUEST__KIND_CALLS;
    request.calls = &calls;
    calls.from = from;
    return wire_ask(fd, &request);
}

Test(calls_in_flight, a_page_begins_anywhere)
{
    cb_permit permit = acquired(breaker_of("plain", NULL));
    int fd = wire_open(&host);
    Cb__Reply *all = ask_from(fd, 0);
    cr_assert(all->kind_case == CB__REPLY__KIND_SIGHTINGS && all->sightings->n_entries == 1 && !all->sightings->more);
    uint32_t nowhere[] = {all->sightings->entries[0] + 1, UINT32_MAX};
    for (size_t i = 0; i < 2; i++) {
        Cb__Reply *reply = ask_from(fd, nowhere[i]);
        cr_expect(reply->kind_case == CB__REPLY__KIND_SIGHTINGS && reply->sightings->n_entries == 0);
        cb__reply__free_unpacked(reply, NULL);
    }
    cb__reply__free_unpacked(all, NULL);
    close(fd);
    cb_success(&permit);
}

/* ---- cbctl ---- */

#define cbctl(output, ...) run(output, CBCTL_PATH, "--registry", host.registry, __VA_ARGS__, (char *)NULL)

static void expect_text(int status, const char *part, const char *absent, const char *argument, const char *option)
{
    struct output output;
    cbctl(&output, "calls", argument, option);
    cr_expect_eq(output.status, status, "%s", output.err);
    cr_expect(strstr(output.out, part) || strstr(output.err, part), "no \"%s\" in\n%s%s", part, output.out, output.err);
    cr_expect(!absent || !strstr(output.out, absent), "\"%s\" in\n%s", absent, output.out);
    output_free(&output);
}

Test(calls_in_flight, cbctl_lists_them)
{
    expect_text(0, "no call is in flight", NULL, NULL, NULL);
    breaker_of("plain", NULL);
    breaker_of("limited", "max_concurrent=3");
    expect_text(0, "no call of 'plain' is in flight", NULL, "plain", NULL);
    expect_text(3, "no breaker 'nowhere'", NULL, "nowhere", NULL);
    struct hanging one = hanging("plain", "first"), other = hanging("limited", "second");
    expect_text(0, "first   >= ", "limited", "plain", NULL);
    expect_text(0, "second", "first", "limited", NULL);
    expect_text(0, "\"exact\": false", "\"place\": true", "plain", "--json");
    expect_text(0, "\"place\": true", "\"name\": \"plain\"", "limited", "--json");
    daemon_kill(&host);
    expect_text(0, "\"age_ms\": null", NULL, "--json", NULL);
    daemon_restart(&host);
    killed(&one);
    killed(&other);
    wait_until(look() == 0);
}
