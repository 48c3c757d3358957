/* The public functions, on a virtual registry: what they return, what they leave alone, what they refuse. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcbclient/client.h"

static cb_registry *registry;
static cb_breaker *breaker;

static void open_virtual(void)
{
    cr_assert_eq(cb_virtual_open(&registry), 0);
    cr_assert_eq(cb_get_or_create(registry, "b", "failure_threshold=2 open_timeout=1s", &breaker), 0);
}

static void close_virtual(void)
{
    cb_detach(&registry);
    cr_assert_null(registry);
}

TestSuite(client, .init = open_virtual, .fini = close_virtual);

static struct cb_snapshot counts(void)
{
    struct cb_snapshot snapshot;
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot), 0);
    return snapshot;
}

static int calls;
static int returns(void *arg)
{
    calls++;
    return *(int *)arg;
}
static int answers_seven(void *arg)
{
    (void)arg;
    return 7;
}

Test(client, an_operations_own_value_arrives_and_is_never_the_breakers_answer)
{
    int values[] = {0, 1, -1, CB_REJECTED_OPEN, CB_REJECTED_PROBES, CB_IGNORE};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int result = 99;
        cb_reset(breaker, NULL);
        cr_assert_eq(cb_call(breaker, returns, &values[i], &result), CB_ADMITTED);
        cr_assert_eq(result, values[i]);
    }
    cr_assert_eq(counts().successes, 1);
    cr_assert_eq(counts().failures, 4);
    cr_assert_eq(counts().ignored, 1);
}

Test(client, a_rejected_call_does_not_run_and_leaves_the_result_alone)
{
    int result = 99, value = 0;
    calls = 0;
    cr_assert_eq(cb_trip(breaker, "test"), 0);
    cr_assert_eq(cb_call(breaker, returns, &value, &result), CB_REJECTED_OPEN);
    cr_assert_eq(calls, 0);
    cr_assert_eq(result, 99);
    cr_assert_eq(counts().rejected, 1);
}

Test(client, the_fallback_runs_after_a_failure_or_a_rejection_only)
{
    int result = 0, good = 0, bad = 1, neutral = CB_IGNORE;
    cr_assert_eq(cb_call_with_fallback(breaker, returns, answers_seven, &good, &result), CB_ADMITTED);
    cr_assert_eq(result, 0);
    cr_assert_eq(cb_call_with_fallback(breaker, returns, answers_seven, &neutral, &result), CB_ADMITTED);
    cr_assert_eq(result, CB_IGNORE);
    cr_assert_eq(cb_call_with_fallback(breaker, returns, answers_seven, &bad, &result), CB_ADMITTED);
    cr_assert_eq(result, 7);
    cb_trip(breaker, NULL);
    result = 0;
    cr_assert_eq(cb_call_with_fallback(breaker, returns, answers_seven, &good, &result), CB_REJECTED_OPEN);
    cr_assert_eq(result, 7);
}

Test(client, a_retry_stops_as_soon_as_the_breaker_rejects)
{
    struct cb_retry retry = {.max_attempts = 10, .wait_ms = 1};
    int result = 0, bad = 5;
    calls = 0;
    cr_assert_eq(cb_call_with_retry(breaker, returns, &bad, &retry, &result), CB_REJECTED_OPEN);
    cr_assert_eq(calls, 2, "two failures trip it, the third attempt is rejected");
    cr_assert_eq(result, 5);
    cr_assert_eq(counts().failures, 2);
}

Test(client, a_retry_ends_with_a_success_and_checks_its_settings)
{
    struct cb_retry retry = {.jitter_percent = 101};
    int result = 9, good = 0;
    calls = 0;
    cr_assert_eq(cb_call_with_retry(breaker, returns, &good, &retry, &result), -EINVAL);
    cr_assert_eq(calls, 0);
    cr_assert_eq(cb_call_with_retry(breaker, returns, &good, NULL, &result), CB_ADMITTED);
    cr_assert_eq(calls, 1);
    cr_assert_eq(result, 0);
}

Test(client, a_permit_is_settled_once)
{
    cb_permit permit, empty = {0};
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(counts().in_flight, 1);
    cr_assert_eq(cb_failure(&permit), 0);
    cr_assert_eq(cb_failure(&permit), CB_ESETTLED);
    cr_assert_eq(cb_success(&empty), CB_ESETTLED);
    cr_assert_eq(cb_success(NULL), CB_ESETTLED);
    cr_assert_eq(counts().failures, 1);
    cr_assert_eq(counts().in_flight, 0);
    cr_assert_eq(cb_state_of(breaker), CB_CLOSED);
}

static void leave_early(int how)
{
    CB_SCOPED cb_permit permit = {0};
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    if (how == 1)
        return;
    cb_success(&permit);
}

Test(client, a_forgotten_permit_is_a_failure_and_a_settled_one_is_not)
{
    leave_early(0);
    cr_assert_eq(counts().abandoned, 0);
    leave_early(1);
    leave_early(1);
    cr_assert_eq(counts().abandoned, 2);
    cr_assert_eq(counts().failures, 0);
    cr_assert_eq(cb_state_of(breaker), CB_OPEN);
}

/* Only without any streak is a success as cheap as can be. */
Test(client, a_streak_is_gone_with_the_first_success_after_a_recovery)
{
    cb_permit permit;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
        cr_assert_eq(cb_failure(&permit), 0);
    }
    cr_assert_eq(cb_virtual_advance(registry, 1000), 0);
    for (int i = 0; i < 2; i++) { /* the probe, and one more */
        cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
        cr_assert_eq(cb_success(&permit), 0);
    }
    cr_assert_eq(segment_slot(&registry->own->segment, breaker_binding(breaker)->slot)->streak & STREAK_MASK, 0);
}

/* What settles quickly reads the real clocks, and must keep away. */
Test(client, calls_are_timed_by_the_virtual_clock_alone)
{
    struct cb_health health;
    cb_breaker *timed;
    cb_permit permit;
    const uint64_t ms = UINT64_C(1000000000000); /* later than any machine's own */
    cr_assert_eq(cb_virtual_advance(registry, ms), 0);
    cr_assert_eq(cb_get_or_create(registry, "timed", "slow_call_duration=100ms", &timed), 0);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(cb_acquire(timed, &permit), CB_ADMITTED);
        cr_assert_eq(cb_virtual_advance(registry, ms + 1000 * i + (i < 2 ? 99 : 100)), 0);
        cr_assert_eq(cb_success(&permit), 0);
        cr_assert_eq(cb_virtual_advance(registry, ms + 1000 * (i + 1)), 0);
    }
    cr_assert_eq(cb_health_of(timed, &health, sizeof health), 0);
    cr_assert_eq(health.counts.slow, 2);
    cr_assert_eq(health.counts.successes, 4);
}

Test(client, looking_changes_nothing_and_says_how_long)
{
    cb_trip(breaker, NULL);
    cr_assert_eq(cb_retry_after_ms(breaker), 1000);
    cr_assert_eq(cb_would_admit(breaker), CB_REJECTED_OPEN);
    cb_virtual_advance(registry, 999);
    cr_assert_eq(cb_retry_after_ms(breaker), 1);
    cb_virtual_advance(registry, 1000);
    cr_assert_eq(cb_retry_after_ms(breaker), 0);
    cr_assert_eq(cb_would_admit(breaker), CB_ADMITTED);
    cr_assert_eq(cb_state_of(breaker), CB_HALF_OPEN);
    cr_assert_eq(counts().transitions, 1);
    cr_assert_eq(counts().rejected, 0);
}

Test(client, an_override_has_a_reason_and_an_end)
{
    struct cb_health health;
    cr_assert_eq(cb_override(breaker, CB_FORCED_OPEN, 60000, "maintenance"), 0);
    cr_assert_eq(cb_health_of(breaker, &health, sizeof health), 0);
    cr_assert_str_eq(health.override_reason, "maintenance");
    cr_assert_eq(health.override_left_ms, 60000);
    cr_assert_eq(health.answer, CB_REJECTED_OPEN);
    cb_virtual_advance(registry, 59999);
    cr_assert_eq(cb_state_of(breaker), CB_FORCED_OPEN);
    cb_virtual_advance(registry, 60000);
    cr_assert_eq(cb_state_of(breaker), CB_CLOSED);
    cr_assert_eq(cb_override(breaker, CB_FORCED_OPEN, 0, NULL), 0);
    cr_assert_eq(cb_retry_after_ms(breaker), UINT64_MAX);
    cr_assert_eq(cb_override(breaker, CB_CLOSED, 0, NULL), 0);
    cr_assert_eq(cb_state_of(breaker), CB_CLOSED);
    cr_assert_eq(cb_override(breaker, CB_HALF_OPEN, 0, NULL), -EINVAL);
}

Test(client, reasons_are_limited)
{
    char reason[200];
    memset(reason, 'r', sizeof reason);
    reason[127] = '\0';
    cr_assert_eq(cb_trip(breaker, reason), 0);
    reason[127] = 'r', reason[128] = '\0';
    cr_assert_eq(cb_trip(breaker, reason), CB_EREASON);
    cr_assert_eq(cb_trip(breaker, "two\nlines"), CB_EREASON);
    cr_assert(strstr(cb_last_error(), "byte 4"));
}

Test(client, one_that_exists_keeps_its_policy_and_says_so)
{
    cb_breaker *again;
    cr_assert_eq(cb_get_or_create(registry, "b", "open_timeout=1s   failure_threshold=2", &again), 0);
    cr_assert_eq(again, breaker);
    cr_assert_eq(cb_get_or_create(registry, "b", NULL, &again), 0);
    cr_assert_eq(cb_get_or_create(registry, "b", "failure_threshold=9", &again), CB_POLICY_DIFFERS);
    cr_assert_eq(again, breaker);
    struct cb_health health;
    cb_health_of(breaker, &health, sizeof health);
    cr_assert_str_eq(health.policy, "failure_threshold=2 open_timeout=1s");
}

Test(client, bad_names_and_policies_are_refused_by_name)
{
    char name[10001];
    cb_breaker *none = breaker;
    memset(name, 'n', sizeof name);
    name[10000] = '\0';
    cr_assert_eq(cb_get_or_create(registry, name, NULL, &none), CB_ENAME);
    cr_assert_null(none);
    name[64] = '\0';
    cr_assert_eq(cb_get_or_create(registry, name, NULL, &none), CB_ENAME);
    name[63] = '\0';
    cr_assert_eq(cb_get_or_create(registry, name, NULL, &none), 0);
    cr_assert_eq(cb_get_or_create(registry, "", NULL, &none), CB_ENAME);
    cr_assert_eq(cb_get_or_create(registry, "new\nline", NULL, &none), CB_ENAME);
    cr_assert_eq(cb_get(registry, "absent", &none), CB_ENOTFOUND);
    cr_assert_eq(cb_get_or_create(registry, "c", "open_timeout=10parsecs", &none), CB_EPOLICY);
    cr_assert(strstr(cb_last_error(), "open_timeout") && strstr(cb_last_error(), "10parsecs"));
    cr_assert_eq(cb_get(registry, "c", &none), CB_ENOTFOUND, "nothing half-made");
}

Test(client, an_older_caller_gets_the_part_of_a_struct_that_it_knows)
{
    struct cb_snapshot snapshot;
    memset(&snapshot, 0xee, sizeof snapshot);
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, sizeof snapshot.state), 0);
    cr_assert_eq(snapshot.state, CB_CLOSED);
    cr_assert_eq(snapshot.successes, UINT64_C(0xeeeeeeeeeeeeeeee));
    cr_assert_eq(cb_snapshot_of(breaker, &snapshot, 0), -EINVAL);
    cr_assert_eq(cb_snapshot_of(breaker, NULL, 8), -EINVAL);
}

Test(client, ten_thousand_permits_at_once_in_one_process)
{
    enum { MANY = 10000 };
    cb_permit *permits = calloc(MANY, sizeof *permits);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(cb_acquire(breaker, &permits[i]), CB_ADMITTED);
    cr_assert_eq(counts().in_flight, MANY);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(cb_success(&permits[i]), 0);
    cr_assert_eq(counts().in_flight, 0);
    cr_assert_eq(counts().successes, MANY);
    free(permits);
}

/* What no entry names cannot hold a place: the limit stays exact, and calls without one go on. */
Test(client, a_limit_holds_although_the_lanes_are_full)
{
    enum { MANY = 40000 };
    static cb_permit permits[MANY], untracked, limited[3];
    cb_breaker *narrow;
    struct cb_usage usage;
    cr_assert_eq(cb_get_or_create(registry, "narrow", "max_concurrent=2", &narrow), 0);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(cb_acquire(breaker, &permits[i]), CB_ADMITTED);
    cr_assert_eq(cb_usage_of(registry, &usage, sizeof usage), 0);
    cr_assert_gt(usage.untracked, 0);
    cr_expect_eq(cb_acquire(narrow, &limited[0]), CB_REJECTED_CONCURRENCY);
    cr_expect_eq(cb_acquire(breaker, &untracked), CB_ADMITTED);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(cb_success(&permits[i]), 0);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(cb_acquire(narrow, &limited[i]), i < 2 ? CB_ADMITTED : CB_REJECTED_CONCURRENCY);
    cr_expect_eq(cb_success(&untracked), 0);
}

Test(client, a_removed_breaker_starts_anew)
{
    cb_permit permit;
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cb_failure(&permit);
    cr_assert_eq(cb_remove(breaker, NULL), 0);
    cb_breaker *again;
    cr_assert_eq(cb_get(registry, "b", &again), CB_ENOTFOUND);
    cr_assert_eq(cb_get_or_create(registry, "b", "failure_threshold=3", &again), 0);
    cr_assert_eq(counts().failures, 0);
}

Test(client, controls_on_a_removed_breaker_are_not_the_next_ones)
{
    cb_breaker *next;
    cr_assert_eq(cb_remove(breaker, NULL), 0);
    cr_assert_eq(cb_get_or_create(registry, "next", NULL, &next), 0); /* in the slot that is free now */
    cr_expect_eq(cb_trip(breaker, NULL), CB_EREMOVED);
    cr_expect(strstr(cb_last_error(), "'b' was removed"), "%s", cb_last_error());
    cr_expect_eq(cb_override(breaker, CB_DISABLED, 0, NULL), CB_EREMOVED);
    cr_expect_eq(cb_set_policy(breaker, "jitter=5"), CB_EREMOVED);
    cr_expect_eq(cb_reset(breaker, NULL), CB_EREMOVED);
    cr_expect_eq(cb_remove(breaker, NULL), CB_EREMOVED);
    cr_expect_eq(cb_state_of(next), CB_CLOSED);
    struct cb_health health;
    cr_expect_eq(cb_health_of(next, &health, sizeof health), 0);
    cr_expect_str_eq(health.policy, "");
}

Test(client, every_code_has_words)
{
    for (int code = CB_EREASON; code <= CB_ENODAEMON; code++)
        cr_assert_str_neq(cb_strerror(code), "unknown error");
    cr_assert_str_eq(cb_strerror(0), "done");
    cr_assert_str_eq(cb_strerror(-ENOMEM), "Cannot allocate memory");
    cr_assert_str_eq(cb_strerror(INT_MIN), "unknown error");
    cr_assert_str_eq(cb_state_name((enum cb_state)77), "?");
    cr_assert_str_eq(cb_answer_name(CB_REJECTED_PROBES), "rejected:probes");
}

/* What the child finds: exit codes name the line that was wrong. */
static int child_of_a_private_call(cb_permit *parents)
{
    cb_permit mine;
    if (cb_success(parents) != CB_ENOTMINE)
        return 1;
    if (cb_acquire(breaker, &mine) != CB_ADMITTED)
        return 2;
    if (counts().in_flight != 1 || cb_success(&mine) != 0 || counts().in_flight != 0)
        return 3;
    return cb_trip(breaker, NULL) == 0 && cb_state_of(breaker) == CB_OPEN ? 0 : 4;
}

Test(client, a_forked_child_has_private_breakers_without_its_parents_calls)
{
    cb_permit permit;
    int status;
    cr_assert_eq(cb_set_policy(breaker, "max_concurrent=1"), 0);
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    pid_t child = fork();
    if (child == 0)
        _exit(child_of_a_private_call(&permit));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(WEXITSTATUS(status), 0);
    cr_assert_eq(counts().in_flight, 1);
    cr_assert_eq(cb_state_of(breaker), CB_CLOSED);
    cr_assert_eq(cb_success(&permit), 0);
}

static int count_event(const struct cb_event *event, void *arg)
{
    *(int *)arg += strcmp(event->name, "next") == 0;
    return 0;
}

Test(client, a_raised_limit_counts_the_calls_from_before)
{
    enum { MANY = 8 };
    cb_breaker *between;
    cb_permit permits[MANY];
    cr_assert_eq(cb_set_policy(breaker, "max_concurrent=1"), 0);
    cr_assert_eq(cb_acquire(breaker, &permits[0]), CB_ADMITTED);
    /* Another breaker's places lie behind, so that these cannot grow where they are. */
    cr_assert_eq(cb_get_or_create(registry, "between", "max_concurrent=1", &between), 0);
    cr_assert_eq(cb_set_policy(breaker, "max_concurrent=2"), 0);
    cr_assert_eq(cb_acquire(breaker, &permits[1]), CB_ADMITTED);
    cr_assert_eq(cb_would_admit(breaker), CB_REJECTED_CONCURRENCY);
    cr_assert_eq(cb_acquire(breaker, &permits[2]), CB_REJECTED_CONCURRENCY);
    /* These can. */
    cr_assert_eq(cb_set_policy(breaker, "max_concurrent=3"), 0);
    cr_assert_eq(cb_acquire(breaker, &permits[2]), CB_ADMITTED);
    cr_assert_eq(cb_acquire(breaker, &permits[3]), CB_REJECTED_CONCURRENCY);
    cr_assert_eq(cb_success(&permits[0]), 0);
    cr_assert_eq(cb_acquire(breaker, &permits[0]), CB_ADMITTED);
    cr_assert_eq(cb_acquire(breaker, &permits[3]), CB_REJECTED_CONCURRENCY);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(cb_success(&permits[i]), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(cb_acquire(breaker, &permits[i]), CB_ADMITTED);
    cr_assert_eq(cb_acquire(breaker, &permits[3]), CB_REJECTED_CONCURRENCY);
}

Test(client, an_event_is_of_the_breaker_that_had_the_slot_then)
{
    cb_breaker *next;
    int seen = 0;
    cr_assert_eq(cb_trip(breaker, NULL), 0);
    cr_assert_eq(cb_remove(breaker, NULL), 0);
    cr_assert_eq(cb_get_or_create(registry, "next", NULL, &next), 0);
    cr_assert_eq(cb_history(registry, "next", count_event, &seen), 0);
    cr_assert_eq(seen, 0);
    cr_assert_eq(cb_trip(next, NULL), 0);
    cr_assert_eq(cb_history(registry, "next", count_event, &seen), 0);
    cr_assert_eq(seen, 1);
}

static int keep_newest(const struct cb_event *event, void *newest)
{
    *(struct cb_event *)newest = *event;
    return 0;
}

static void expect_newest(const char *text, bool ordered)
{
    struct cb_event newest = {0};
    cr_assert_eq(cb_history(registry, NULL, keep_newest, &newest), 0);
    cr_assert_str_eq(newest.text, text);
    cr_assert_eq(newest.uid, ordered ? (uint32_t)getuid() : UINT32_MAX, "%s", text);
}

Test(client, a_history_tells_an_end_by_hand_from_one_in_time)
{
    cb_permit permit;
    cr_assert_eq(cb_override(breaker, CB_FORCED_OPEN, 1000, NULL), 0);
    expect_newest("forced-open: imposed by an operator for 1s", true);
    cr_assert_eq(cb_override(breaker, CB_CLOSED, 0, NULL), 0);
    expect_newest("closed: override ended by an operator", true);
    cr_assert_eq(cb_override(breaker, CB_FORCED_OPEN, 1000, NULL), 0);
    cb_virtual_advance(registry, 1000);
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    expect_newest("closed: the override's time is over", false);
    cr_assert_eq(cb_success(&permit), 0);
}

#define STORM 20000

static int trip_again(const struct cb_event *event, void *seen)
{
    (void)event;
    return ++*(int *)seen < STORM ? cb_trip(breaker, NULL) : 0;
}

Test(client, a_history_ends_although_things_go_on)
{
    int seen = 0;
    cr_assert_eq(cb_trip(breaker, NULL), 0);
    cr_assert_eq(cb_history(registry, "b", trip_again, &seen), 0);
    cr_assert(seen > 0 && seen < STORM, "%d events", seen);
}

static void *one_call(void *arg)
{
    cb_permit *permit = arg;
    cr_assert_eq(cb_acquire(breaker, permit), CB_ADMITTED);
    return NULL;
}

Test(client, a_permit_is_settled_by_another_thread_after_its_own_has_gone)
{
    cb_permit permit;
    pthread_t thread;
    pthread_create(&thread, NULL, one_call, &permit);
    pthread_join(thread, NULL);
    cr_assert_eq(counts().in_flight, 1);
    cr_assert_eq(cb_success(&permit), 0);
    cr_assert_eq(counts().in_flight, 0);
    cr_assert_eq(counts().successes, 1);
}

static void *short_life(void *arg)
{
    cb_permit permit;
    (void)arg;
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_success(&permit), 0);
    return NULL;
}

Test(client, usage_counts_what_is_taken)
{
    struct cb_usage usage;
    cb_permit permit;
    cr_assert_eq(cb_usage_of(registry, &usage, sizeof usage), 0);
    cr_expect(usage.breakers == 1 && usage.breaker_room >= 1024 && usage.places == 0 && usage.place_room > 7);
    cr_expect(usage.memory > 1 << 20 && usage.untracked == 0 && !*usage.socket);
    cr_assert_eq(cb_get_or_create(registry, "limited", "max_concurrent=7", &breaker), 0);
    cr_assert_eq(cb_acquire(breaker, &permit), CB_ADMITTED);
    cr_assert_eq(cb_usage_of(registry, &usage, sizeof usage), 0);
    cr_expect(usage.breakers == 2 && usage.places == 7 && usage.workers == 1 && usage.calls == 8);
    cr_assert_eq(cb_success(&permit), 0);
    cr_expect_eq(cb_usage_of(registry, NULL, sizeof usage), -EINVAL);
    cr_expect_eq(cb_usage_of(registry, &usage, 0), -EINVAL);
}

Test(client, threads_that_come_and_go_leave_no_trace)
{
    enum { MANY = 5000 };
    for (int i = 0; i < MANY; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, short_life, NULL), 0);
        pthread_join(thread, NULL);
    }
    struct cb_snapshot snapshot = counts();
    cr_assert_eq(snapshot.successes, MANY);
    cr_assert_eq(snapshot.in_flight, 0);
}

Test(client, a_thread_that_uses_several_registries_keeps_them_apart)
{
    enum { MANY = 10 };
    cb_registry *registries[MANY];
    cb_breaker *breakers[MANY];
    cb_permit permits[MANY];
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(cb_virtual_open(&registries[i]), 0);
        cr_assert_eq(cb_get_or_create(registries[i], "b", NULL, &breakers[i]), 0);
        cr_assert_eq(cb_acquire(breakers[i], &permits[i]), CB_ADMITTED);
    }
    cb_detach(&registries[0]); /* with a call in flight; its room in the thread is used again */
    cr_assert_eq(cb_virtual_open(&registries[0]), 0);
    cr_assert_eq(cb_get_or_create(registries[0], "b", NULL, &breakers[0]), 0);
    cr_assert_eq(cb_acquire(breakers[0], &permits[0]), CB_ADMITTED);
    for (int i = 0; i < MANY; i++) {
        struct cb_snapshot snapshot;
        cr_assert_eq(cb_success(&permits[i]), 0);
        cr_assert_eq(cb_snapshot_of(breakers[i], &snapshot, sizeof snapshot), 0);
        cr_assert_eq(snapshot.successes, 1);
        cr_assert_eq(snapshot.in_flight, 0);
        cb_detach(&registries[i]);
    }
}

/* A child is forked while another thread of its parent, itself just forked, is making the registry's locks anew. */
Test(client, a_child_of_a_process_that_is_adopting_adopts_for_itself)
{
    int status;
    cb_breaker *found = NULL;
    atomic_store(&registry->process, (uint64_t)getpid() | ADOPTING);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        alarm(10); /* once it waited for a thread that it does not have */
        _exit(cb_get(registry, "b", &found) == 0 && found == breaker ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0, "%x", (unsigned)status);
    atomic_store(&registry->process, (uint64_t)getpid());
}
