/* The policy's text: what is accepted, what is refused and how it is said, and that it survives a round trip. */
#include <criterion/criterion.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "core/policy.h"
#include "random_word.h"

static struct policy good(const char *text)
{
    struct policy policy;
    char error[POLICY_ERROR_SIZE];
    memset(&policy, 0xa5, sizeof policy);
    cr_assert_eq(policy_parse(text, &policy, error), 0, "'%s': %s", text, error);
    cr_assert(policy_valid(&policy), "'%s' parses to a policy that is not valid", text);
    return policy;
}

/* Refused, nothing written, and the error begins with `key` and has `says` in it. */
static void bad(const char *text, const char *key, const char *says)
{
    struct policy policy, before;
    char error[POLICY_ERROR_SIZE];
    memset(&before, 0xa5, sizeof before);
    policy = before;
    cr_assert_eq(policy_parse(text, &policy, error), -EINVAL, "'%s' was accepted", text);
    cr_assert_eq(memcmp(&policy, &before, sizeof policy), 0, "'%s' was half written", text);
    cr_assert_eq(strncmp(error, key, strlen(key)), 0, "'%s': '%s' does not begin with %s", text, error, key);
    cr_assert(strstr(error, says), "'%s': '%s' does not say '%s'", text, error, says);
}

static void formats_as(const char *text, const char *canonical)
{
    struct policy policy = good(text), again;
    char out[POLICY_TEXT_SIZE];
    policy_format(&policy, out);
    cr_assert_str_eq(out, canonical);
    again = good(out);
    cr_assert_eq(memcmp(&policy, &again, sizeof policy), 0, "'%s' changed in '%s'", text, out);
}

Test(policy, defaults_are_those_of_the_table)
{
    struct policy p = good(NULL), same;
    cr_assert_eq(p.failure_threshold, 5);
    cr_assert_eq(p.failure_rate_threshold + p.slow_call_rate_threshold + p.slow_call_duration_ms, 0);
    cr_assert_eq(p.window, WINDOW_NONE);
    cr_assert_eq(p.window_size, 0);
    cr_assert_eq(p.minimum_calls, 20);
    cr_assert_eq(p.open_timeout_ms, 30000);
    cr_assert_eq(p.backoff_milli, 1000);
    cr_assert_eq(p.max_open_timeout_ms, 300000);
    cr_assert_eq(p.jitter, 0);
    cr_assert_eq(p.half_open_max_calls, 1);
    cr_assert_eq(p.success_threshold, 1);
    cr_assert_eq(p.half_open_success_rate, 0);
    cr_assert_eq(p.half_open_minimum_probes, 10);
    cr_assert_eq(p.half_open_timeout_ms, 30000);
    cr_assert_eq(p.call_timeout_ms + p.max_concurrent + p.timing, 0);
    policy_default(&same);
    cr_assert_eq(memcmp(&p, &same, sizeof p), 0);
    formats_as("", "");
    formats_as(" \t ", "");
}

Test(policy, defaults_follow_other_keys)
{
    cr_assert_eq(good("open_timeout=10m").max_open_timeout_ms, 600000);
    cr_assert_eq(good("open_timeout=299s").max_open_timeout_ms, 300000);
    cr_assert_eq(good("open_timeout=301s").max_open_timeout_ms, 301000);
    cr_assert_eq(good("window=count:7").minimum_calls, 7);
    cr_assert_eq(good("window=count:21").minimum_calls, 20);
    cr_assert_eq(good("window=time:1s").minimum_calls, 20);
    cr_assert_eq(good("slow_call_duration=1s").timing, TIMING_PRECISE);
    cr_assert_eq(good("slow_call_duration=1s timing=off").timing, TIMING_OFF);
    cr_assert_eq(good("timing=coarse").timing, TIMING_COARSE);
}

Test(policy, presets_apply_before_other_keys_wherever_they_stand)
{
    struct policy first = good("preset=aggressive failure_threshold=7"),
                  last = good("failure_threshold=7 preset=aggressive");
    cr_assert_eq(memcmp(&first, &last, sizeof first), 0);
    cr_assert_eq(first.failure_threshold, 7);
    cr_assert_eq(first.open_timeout_ms, 10000);
    cr_assert_eq(good("preset=aggressive").failure_threshold, 3);
    cr_assert_eq(good("preset=lenient").failure_threshold, 10);
    cr_assert_eq(good("preset=lenient").open_timeout_ms, 60000);
    cr_assert_eq(good("preset=lenient open_timeout=10m").max_open_timeout_ms, 600000);
    formats_as("preset=default", "");
    formats_as("preset=aggressive open_timeout=30s", "failure_threshold=3 backoff_multiplier=2 jitter=10 "
                                                     "success_threshold=2");
    bad("preset=brave", "preset: 'brave'", "default, aggressive or lenient");
    bad("preset=", "preset: ''", "give");
    bad("preset=aggressive preset=lenient", "preset: given twice", "'lenient'");
    bad("preset=lenient max_open_timeout=30s", "max_open_timeout: '30s'", "1m");
}

Test(policy, texts_become_canonical)
{
    formats_as("open_timeout=60000ms", "open_timeout=1m");
    formats_as("open_timeout=90s", "open_timeout=90s");
    formats_as("max_open_timeout=7200s open_timeout=120m", "open_timeout=2h");
    formats_as("\ttiming=coarse  jitter=007 ", "jitter=7 timing=coarse");
    formats_as("backoff_multiplier=1.500", "backoff_multiplier=1.5");
    formats_as("backoff_multiplier=1.005", "backoff_multiplier=1.005");
    formats_as("backoff_multiplier=100", "backoff_multiplier=100");
    formats_as("window=count:10 minimum_calls=10", "window=count:10");
    formats_as("window=time:1500ms minimum_calls=1", "window=time:1500ms minimum_calls=1");
    formats_as("failure_threshold=0 failure_rate_threshold=50 window=count:1000",
               "failure_threshold=0 failure_rate_threshold=50 window=count:1000");
    formats_as("slow_call_duration=0 call_timeout=0ms", "");
    formats_as("slow_call_rate_threshold=1 slow_call_duration=1ms window=time:1h timing=precise",
               "slow_call_rate_threshold=1 slow_call_duration=1ms window=time:1h");
}

/* The longest canonical text there is fits, with its terminator. */
Test(policy, the_longest_text_fits)
{
    formats_as("failure_threshold=1000000 failure_rate_threshold=100 slow_call_rate_threshold=100 "
               "slow_call_duration=604799999ms window=time:3599999ms minimum_calls=1000000 open_timeout=604799998ms "
               "backoff_multiplier=99.999 max_open_timeout=604799999ms jitter=100 half_open_max_calls=63 "
               "success_threshold=63 half_open_success_rate=100 half_open_minimum_probes=63 "
               "half_open_timeout=1799999ms call_timeout=604799999ms max_concurrent=65535 timing=coarse",
               "failure_threshold=1000000 failure_rate_threshold=100 slow_call_rate_threshold=100 "
               "slow_call_duration=604799999ms window=time:3599999ms minimum_calls=1000000 open_timeout=604799998ms "
               "backoff_multiplier=99.999 max_open_timeout=604799999ms jitter=100 half_open_max_calls=63 "
               "success_threshold=63 half_open_success_rate=100 half_open_minimum_probes=63 "
               "half_open_timeout=1799999ms call_timeout=604799999ms max_concurrent=65535 timing=coarse");
}

/* Each key just outside and just inside its range; `beside` is what the key cannot do without. */
static const struct limit {
    const char *key, *below, *least, *most, *above, *beside;
} limits[] = {
    {"failure_threshold", "-1", "1", "1000000", "1000001", ""},
    {"failure_threshold", "0", "1", "1000000", "4294967297", ""},
    {"failure_rate_threshold", "-1", "0", "100", "101", "window=count:10"},
    {"slow_call_rate_threshold", "-1", "0", "100", "101", "window=count:10 slow_call_duration=1s"},
    {"slow_call_duration", "-1ms", "0", "168h", "604800001ms", ""},
    {"window", "count:0", "count:1", "count:1000", "count:1001", ""},
    {"window", "time:99ms", "time:100ms", "time:1h", "time:3600001ms", ""},
    {"minimum_calls", "0", "1", "1000000", "1000001", ""},
    {"minimum_calls", "0", "1", "10", "11", "window=count:10"},
    {"open_timeout", "0ms", "1ms", "168h", "604800001ms", ""},
    {"backoff_multiplier", "0.999", "1", "100.000", "100.001", ""},
    {"max_open_timeout", "29999ms", "30s", "168h", "604800001ms", ""},
    {"jitter", "-1", "0", "100", "101", ""},
    {"half_open_max_calls", "0", "1", "63", "64", ""},
    {"success_threshold", "0", "1", "63", "64", ""},
    {"half_open_success_rate", "-1", "0", "100", "101", ""},
    {"half_open_minimum_probes", "0", "1", "63", "64", ""},
    {"half_open_timeout", "0", "1ms", "30m", "1800001ms", ""},
    {"call_timeout", "-1ms", "0ms", "168h", "169h", ""},
    {"max_concurrent", "-1", "0", "65535", "65536", ""},
};

Test(policy, every_key_holds_its_range)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct limit *limit = &limits[i];
        const char *values[] = {limit->least, limit->most, limit->below, limit->above};
        for (size_t j = 0; j < 4; j++) {
            char text[256], named[128];
            snprintf(text, sizeof text, "%s %s=%s", limit->beside, limit->key, values[j]);
            snprintf(named, sizeof named, "%s: '%s'", limit->key, values[j]);
            if (j < 2)
                good(text);
            else
                bad(text, named, "give");
        }
    }
}

Test(policy, numbers_never_overflow)
{
    static const char *const huge[] = {"4294967296",           "4294967297",           "18446744073709551615",
                                       "18446744073709551617", "99999999999999999999", "5124095576030432h"};
    for (size_t key = 0; policy_key(key); key++)
        for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
            static const char *const forms[] = {"%s=%s", "%s=%sms", "%s=%s.5", "%s=count:%s", "%s=time:%sh"};
            for (size_t form = 0; form < sizeof forms / sizeof *forms; form++) {
                char text[128];
                snprintf(text, sizeof text, forms[form], policy_key(key), huge[i]);
                bad(text, policy_key(key), "give");
            }
        }
}

Test(policy, durations_need_a_unit)
{
    bad("open_timeout=30", "open_timeout: '30' has no unit", "ms, s, m or h, from 1ms to 168h");
    bad("window=time:30", "window: 'time:30' has no unit", "time:D");
    bad("open_timeout=0", "open_timeout: '0' is out of range", "from 1ms to 168h");
    bad("open_timeout=10parsecs", "open_timeout: '10parsecs' is not a duration", "from 1ms to 168h");
    bad("open_timeout=1.5s", "open_timeout: '1.5s' is not a duration", "give");
    bad("open_timeout=1m30s", "open_timeout: '1m30s' is not a duration", "give");
    bad("open_timeout=1S", "open_timeout: '1S'", "give");
    bad("open_timeout=s", "open_timeout: 's'", "give");
    bad("open_timeout=", "open_timeout: ''", "give");
    bad("open_timeout=+1s", "open_timeout: '+1s'", "give");
    bad("open_timeout==1s", "open_timeout: '=1s'", "give");
}

Test(policy, decimals_are_exact_and_know_no_locale)
{
    cr_assert_eq(good("backoff_multiplier=1.1").backoff_milli, 1100);
    cr_assert_eq(good("backoff_multiplier=2.25").backoff_milli, 2250);
    bad("backoff_multiplier=1.0001", "backoff_multiplier: '1.0001' has too many decimals", "3 decimals");
    bad("backoff_multiplier=1,5", "backoff_multiplier: '1,5' is not a number", "from 1 to 100");
    bad("backoff_multiplier=1.", "backoff_multiplier: '1.'", "give");
    bad("backoff_multiplier=.5", "backoff_multiplier: '.5'", "give");
    bad("backoff_multiplier=1e1", "backoff_multiplier: '1e1'", "give");
    bad("backoff_multiplier=1.5.5", "backoff_multiplier: '1.5.5'", "give");
    bad("backoff_multiplier=nan", "backoff_multiplier: 'nan'", "give");
}

Test(policy, keys_that_contradict_each_other_are_refused)
{
    bad("failure_threshold=0", "failure_threshold: '0'", "1 to 1000000");
    bad("failure_rate_threshold=50", "failure_rate_threshold: '50' needs a window", "count:N");
    bad("slow_call_rate_threshold=50 slow_call_duration=1s", "slow_call_rate_threshold: '50' needs a window", "time:D");
    bad("slow_call_rate_threshold=50 window=count:10", "slow_call_rate_threshold: '50'", "slow_call_duration");
    bad("slow_call_rate_threshold=50 slow_call_duration=1s window=count:10 timing=off", "timing: 'off'", "precise");
    bad("open_timeout=10m max_open_timeout=5m", "max_open_timeout: '5m'", "10m to 168h");
    bad("window=count:10 minimum_calls=11", "minimum_calls: '11'", "1 to 10");
    good("failure_threshold=0 slow_call_rate_threshold=50 slow_call_duration=1s window=count:10 timing=coarse");
}

Test(policy, unknown_and_repeated_keys_are_refused)
{
    bad("colour=red", "colour: unknown key", "failure_threshold");
    bad("open_timout=1s", "open_timout: unknown key", "did you mean open_timeout?");
    bad("Failure_threshold=1", "Failure_threshold: unknown key", "did you mean failure_threshold?");
    bad("=1", ": unknown key", "failure_threshold");
    bad("open_timeout", "open_timeout: is not of the form", "key=value");
    bad("open_timeout = 1s", "open_timeout: is not of the form", "key=value");
    bad("jitter=1 jitter=1", "jitter: given twice", "'1'");
    bad("window=sliding:5", "window: 'sliding:5' is not a window", "count:N");
    bad("window=count:", "window: 'count:' is not a whole number", "count:N");
    bad("window=", "window: ''", "none");
    bad("timing=never", "timing: 'never'", "off, coarse or precise");
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

Test(policy, what_is_echoed_is_clipped_and_printable)
{
    struct policy policy;
    char error[POLICY_ERROR_SIZE], text[10001];
    bad("jitter=\x1b[31m", "jitter: '\\x1b[31m'", "give");
    bad("\nopen_timeout=1s", "\\x0aopen_timeout: unknown key", "did you mean open_timeout?");
    bad("open_timeout=1s\n", "open_timeout: '1s\\x0a'", "give");
    static const char *const fronts[] = {"", "half_open_minimum_probes=", "window=time:", "\x80\xff", "a=b c="};
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++)
        for (int byte = 1; byte < 256; byte++) {
            memset(text, byte, sizeof text - 1);
            memcpy(text, fronts[i], strlen(fronts[i]));
            text[sizeof text - 1] = '\0';
            int result = policy_parse(text, &policy, error);
            cr_assert(result == 0 || strlen(error) > 0);
            cr_assert(is_printable(error), "byte %d is echoed: %s", byte, error);
        }
}

/* Texts made of the grammar's own pieces, so that most get deep into the parser. */
static void scramble(char *text, size_t size)
{
    static const char *const pieces[] = {" ",          "=",      ":",     "1",    "0",    "ms",     "s",
                                         "h",          "count:", "time:", ".",    "none", "preset", "lenient",
                                         "9999999999", "window", "\x01",  "\xff", "5m"};
    size_t count = sizeof pieces / sizeof *pieces;
    text[0] = '\0';
    for (uint64_t i = random_word() % 30; i > 0; i--) {
        size_t pick = random_word() % (count + 19);
        const char *piece = pick < count ? pieces[pick] : policy_key(pick - count);
        snprintf(text + strlen(text), size - strlen(text), "%s%s", piece,
                 pick < count || random_word() % 9 == 0 ? "" : "=");
    }
}

Test(policy, random_texts_are_refused_or_survive_a_round_trip)
{
    for (int i = 0; i < 200000; i++) {
        struct policy policy, again;
        char text[1024], out[POLICY_TEXT_SIZE], error[POLICY_ERROR_SIZE];
        scramble(text, sizeof text);
        if (policy_parse(text, &policy, error)) {
            cr_assert(error[0] && is_printable(error));
            continue;
        }
        policy_format(&policy, out);
        cr_assert_eq(policy_parse(out, &again, error), 0, "'%s' from '%s': %s", out, text, error);
        cr_assert_eq(memcmp(&policy, &again, sizeof policy), 0, "'%s' from '%s'", out, text);
    }
}

/* What lies in memory may be anything: checked without a crash, and what passes can be written down. */
Test(policy, random_memory_is_not_valid_and_can_still_be_formatted)
{
    for (int i = 0; i < 100000; i++) {
        struct policy policy = good("");
        char out[POLICY_TEXT_SIZE], error[POLICY_ERROR_SIZE];
        unsigned char *bytes = (unsigned char *)&policy;
        for (int n = i % 4 ? 1 : (int)sizeof policy; n > 0; n--)
            bytes[random_word() % sizeof policy] = (unsigned char)random_word();
        memset(out, 'x', sizeof out);
        policy_format(&policy, out);
        cr_assert(memchr(out, '\0', sizeof out));
        struct policy again;
        if (policy_valid(&policy)) {
            cr_assert_eq(policy_parse(out, &again, error), 0, "'%s': %s", out, error);
            cr_assert_eq(memcmp(&policy, &again, sizeof policy), 0, "'%s'", out);
        }
    }
}

Test(policy, every_field_out_of_range_is_not_valid)
{
    for (size_t at = 0; at < sizeof(struct policy); at += sizeof(uint32_t)) {
        struct policy policy = good("");
        uint32_t wild = UINT32_MAX;
        memcpy((char *)&policy + at, &wild, sizeof wild);
        cr_assert_not(policy_valid(&policy), "the word at offset %zu is not checked", at);
    }
}

static unsigned refuse_lines(const char *file)
{
    char line[512];
    unsigned lines = 0;
    FILE *stream = fopen(file, "r");
    cr_assert(stream, "%s", file);
    while (fgets(line, sizeof line, stream)) {
        if (strncmp(line, "refuse ", 7))
            continue;
        line[strcspn(line, "\n")] = '\0';
        bad(line + 7, "", "");
        lines++;
    }
    fclose(stream);
    return lines;
}

Test(policy, the_traces_refusals_are_refused)
{
    glob_t files;
    unsigned lines = 0;
    cr_assert_eq(glob(SOURCE_DIR "/tests/traces/*.trace", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        lines += refuse_lines(files.gl_pathv[i]);
    globfree(&files);
    cr_assert_geq(lines, 11);
}

Test(policy, keys_are_listed_once_and_end)
{
    size_t count = 0;
    for (; policy_key(count); count++)
        for (size_t i = 0; i < count; i++)
            cr_assert_str_neq(policy_key(i), policy_key(count));
    cr_assert_eq(count, 19);
    cr_assert_null(policy_key(SIZE_MAX));
}
