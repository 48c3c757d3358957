#include "doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "json.h"
#include "registry.h"
#include "report.h"
#include "table.h"

typedef void doctor_check(struct doctor *);

static const struct {
    const char *name;
    doctor_check *run;
    bool joined; /* needs the registry */
} checks[] = {
    {"memory", check_folder, false}, {"registry", check_registry, false}, {"others", check_others, false},
    {"logind", check_logind, true},  {"daemon", check_daemon, true},      {"versions", check_versions, true},
    {"access", check_access, true},  {"room", check_room, true},          {"processes", check_owners, true},
    {"damage", check_damage, true},
};
#define CHECK_COUNT (sizeof checks / sizeof *checks)

const char *size_text(unsigned long long bytes, char out[SIZE_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes / 1024;
    size_t unit = 0;
    for (; size >= 1024 && unit < 3; unit++)
        size /= 1024;
    snprintf(out, SIZE_TEXT, "%.1f %s", size, units[unit]);
    return out;
}

/* ---- findings ---- */

static struct finding *finding_add(struct doctor *doctor)
{
    if (doctor->count == doctor->room) {
        size_t room = doctor->room ? 2 * doctor->room : 16;
        struct finding *grown = realloc(doctor->findings, room * sizeof *grown);
        if (!grown)
            return NULL;
        doctor->findings = grown;
        doctor->room = room;
    }
    struct finding *finding = &doctor->findings[doctor->count++];
    *finding = (struct finding){.check = doctor->check};
    return finding;
}

static struct finding *finding_say(struct doctor *doctor, const char *format, va_list arguments)
{
    struct finding *finding = finding_add(doctor);
    if (finding)
        vsnprintf(finding->text, sizeof finding->text, format, arguments);
    return finding;
}

void doctor_well(struct doctor *doctor, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    finding_say(doctor, format, arguments);
    va_end(arguments);
}

void doctor_ill(struct doctor *doctor, const char *remedy, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct finding *finding = finding_say(doctor, format, arguments);
    va_end(arguments);
    if (!finding)
        return;
    finding->wrong = true;
    snprintf(finding->remedy, sizeof finding->remedy, "%s", remedy);
}

/* ---- the examination ---- */

static void doctor_begin(struct doctor *doctor, const struct options *options)
{
    const char *version;
    snprintf(doctor->name, sizeof doctor->name, "%.63s", registry_name(options));
    doctor->error = cb_attach(options->registry, &doctor->registry);
    if (doctor->error) {
        snprintf(doctor->why, sizeof doctor->why, "%s", cb_last_error());
        cb_detach(&doctor->registry);
        return;
    }
    cb_usage_of(doctor->registry, &doctor->usage, sizeof doctor->usage);
    doctor->answers = cb_ping(doctor->registry, NULL, &version) == 0;
    if (doctor->answers)
        snprintf(doctor->version, sizeof doctor->version, "%s", version);
}

static void doctor_examine(struct doctor *doctor)
{
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        doctor->check = checks[i].name;
        if (doctor->registry || !checks[i].joined)
            checks[i].run(doctor);
    }
}

static size_t wrong_count(const struct doctor *doctor)
{
    size_t wrong = 0;
    for (size_t i = 0; i < doctor->count; i++)
        wrong += doctor->findings[i].wrong;
    return wrong;
}

/* ---- what comes out ---- */

static void finding_print(const struct finding *finding)
{
    const char *colour = state_colour(finding->wrong ? CB_OPEN : CB_CLOSED);
    printf("%s%-5s%s  %-9s  %s%s%s\n", colour, finding->wrong ? "WRONG" : "ok", *colour ? COLOUR_END : "",
           finding->check, finding->text, *finding->remedy ? "; " : "", finding->remedy);
}

static json_t *finding_json(const struct finding *finding)
{
    return json_pack("{s:s, s:b, s:o, s:o}", "check", finding->check, "wrong", finding->wrong, "text",
                     json_text(finding->text), "remedy", *finding->remedy ? json_text(finding->remedy) : json_null());
}

static void findings_print_json(const struct doctor *doctor)
{
    json_t *array = json_array();
    for (size_t i = 0; i < doctor->count; i++)
        json_array_append_new(array, finding_json(&doctor->findings[i]));
    json_print(json_pack("{s:s, s:I, s:o}", "registry", doctor->name, "wrong", (json_int_t)wrong_count(doctor),
                         "findings", array));
}

int command_doctor(const struct options *options)
{
    struct doctor doctor = {.registry = NULL};
    doctor_begin(&doctor, options);
    if (doctor.error == CB_ENAME)
        return report(EXIT_USAGE, "%s", doctor.why);
    doctor_examine(&doctor);
    if (options->json)
        findings_print_json(&doctor);
    for (size_t i = 0; !options->json && i < doctor.count; i++)
        finding_print(&doctor.findings[i]);
    int code = wrong_count(&doctor) ? EXIT_FAILED : EXIT_DONE;
    free(doctor.findings);
    cb_detach(&doctor.registry);
    return code;
}
