#include "desk.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "victim.h"

#define HANGS_MS  20000
#define NO_DAEMON 4 /* cbctl's exit code */

static const struct {
    const char *word;
    bool lasting, fleeting; /* which breakers it is for; neither: it needs none */
    enum cb_state imposes;
} acts[ACTS] = {
    [ACT_TRIP] = {"trip", true, true, CB_CLOSED},
    [ACT_RESET] = {"reset", true, true, CB_CLOSED},
    [ACT_AUTO] = {"auto", true, true, CB_CLOSED},
    [ACT_SET] = {"set", true, false, CB_CLOSED},
    [ACT_FORCE_OPEN] = {"force-open", true, true, CB_FORCED_OPEN},
    [ACT_METRICS_ONLY] = {"metrics-only", true, true, CB_METRICS_ONLY},
    [ACT_DISABLE] = {"disable", true, true, CB_DISABLED},
    [ACT_CREATE] = {"create", false, true, CB_CLOSED},
    [ACT_REMOVE] = {"remove", false, true, CB_CLOSED},
    [ACT_SHOW] = {"show", true, false, CB_CLOSED},
    [ACT_LIST] = {"list", false, false, CB_CLOSED},
    [ACT_WORKERS] = {"workers", false, false, CB_CLOSED},
    [ACT_HISTORY] = {"history", false, false, CB_CLOSED},
};

static uint64_t now_ms(void)
{
    return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

static bool changes(enum act act)
{
    return act < ACT_SHOW;
}

static bool takes_time(enum act act)
{
    return acts[act].imposes != CB_CLOSED;
}

/* What is disabled counts nothing, and what only measures has no bulkhead. */
static bool is_allowed(enum act act, unsigned part)
{
    if (!(cast_lasts(part) ? acts[act].lasting : acts[act].fleeting))
        return false;
    if (act == ACT_DISABLE && cast_lasts(part))
        return cast[part].uncounted;
    return act != ACT_METRICS_ONLY || cast[part].most == 0;
}

/* ---- sending ---- */

_Noreturn static void errand_run(const struct desk *desk, const struct errand *errand)
{
    const char *argv[12] = {"cbctl", "--registry", desk->keeper->registry, acts[errand->act].word};
    char duration[24];
    unsigned count = 4;
    if (acts[errand->act].lasting || acts[errand->act].fleeting)
        argv[count++] = cast[errand->part].name;
    if (errand->act == ACT_SET || errand->act == ACT_CREATE)
        argv[count++] = cast[errand->part].policy[errand->policy];
    if (errand->for_ms) {
        snprintf(duration, sizeof duration, "%llums", (unsigned long long)errand->for_ms);
        argv[count++] = "--for";
        argv[count++] = duration;
    }
    dup2(errand->said, STDERR_FILENO);
    dup2(errand->said, STDOUT_FILENO);
    execv(desk->program, (char **)argv);
    _exit(127);
}

static void errand_start(struct desk *desk, struct errand *errand)
{
    pid_t parent = getpid();
    errand->started_ms = now_ms();
    errand->said = memfd_create("said", MFD_CLOEXEC);
    errand->pid = fork();
    if (errand->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            errand_run(desk, errand);
        _exit(127);
    }
    if (errand->pid < 0) {
        close(errand->said);
        errand->pid = 0;
        return;
    }
    desk->belief[errand->part].changing |= changes(errand->act);
    desk->report->errands++;
}

void desk_send(struct desk *desk)
{
    struct errand *errand = desk->errand;
    while (errand < desk->errand + ERRANDS && errand->pid)
        errand++;
    if (errand == desk->errand + ERRANDS)
        return;
    *errand = (struct errand){.act = (enum act)dice_roll(desk->dice, ACTS),
                              .part = dice_roll(desk->dice, CAST_SIZE),
                              .policy = dice_roll(desk->dice, CAST_POLICIES)};
    const struct belief *belief = &desk->belief[errand->part];
    if (takes_time(errand->act) && dice_percent(desk->dice, 80))
        errand->for_ms = 50 + dice_roll(desk->dice, 500);
    bool anywhere = !acts[errand->act].lasting && !acts[errand->act].fleeting;
    if (anywhere || (is_allowed(errand->act, errand->part) && !belief->changing && !belief->doubtful))
        errand_start(desk, errand);
}

/* ---- receiving ---- */

static void believe(struct desk *desk, const struct errand *errand)
{
    struct belief *belief = &desk->belief[errand->part];
    if (errand->act == ACT_SET) {
        belief->policy = errand->policy;
        return;
    }
    belief->imposed = acts[errand->act].imposes;
    belief->least_ms = errand->for_ms ? errand->started_ms + errand->for_ms : 0;
    belief->most_ms = errand->for_ms ? now_ms() + errand->for_ms : 0;
}

static void complain(struct desk *desk, const struct errand *errand, const char *how, int number)
{
    char said[256];
    ssize_t length = pread(errand->said, said, sizeof said - 1, 0);
    said[length > 0 ? length : 0] = '\0';
    report_violation(desk->report, "cbctl %s %s %s %d: %s", acts[errand->act].word, cast[errand->part].name, how,
                     number, said);
}

/* Looking needs no daemon; changing does. A breaker that comes and goes may be gone or there. */
static void judge(struct desk *desk, const struct errand *errand, int status)
{
    bool there = keeper_was_there(desk->keeper, errand->started_ms);
    int code = WEXITSTATUS(status);
    if (WIFSIGNALED(status))
        complain(desk, errand, "was ended by signal", WTERMSIG(status));
    else if (code == 0 && changes(errand->act))
        believe(desk, errand);
    else if (code == NO_DAEMON && changes(errand->act) && !there)
        desk->belief[errand->part].doubtful = true;
    else if (code != 0 && (cast_lasts(errand->part) || !changes(errand->act)))
        complain(desk, errand, "exits with", code);
}

static void errand_end(struct desk *desk, struct errand *errand)
{
    close(errand->said);
    if (changes(errand->act))
        desk->belief[errand->part].changing = false;
    errand->pid = 0;
}

static void errand_kill(struct desk *desk, struct errand *errand)
{
    victim_kill(errand->pid);
    desk->belief[errand->part].doubtful |= changes(errand->act);
    errand_end(desk, errand);
}

static void errand_receive(struct desk *desk, struct errand *errand)
{
    int status;
    if (waitpid(errand->pid, &status, WNOHANG) > 0) {
        judge(desk, errand, status);
        errand_end(desk, errand);
    } else if (now_ms() - errand->started_ms > HANGS_MS) {
        complain(desk, errand, "hangs since", HANGS_MS);
        errand_kill(desk, errand);
    }
}

void desk_receive(struct desk *desk)
{
    for (unsigned i = 0; i < ERRANDS; i++)
        if (desk->errand[i].pid)
            errand_receive(desk, &desk->errand[i]);
}

/* ---- killing and stopping ---- */

static struct errand *errand_draw(struct desk *desk)
{
    unsigned first = dice_roll(desk->dice, ERRANDS);
    for (unsigned i = 0; i < ERRANDS; i++)
        if (desk->errand[(first + i) % ERRANDS].pid)
            return &desk->errand[(first + i) % ERRANDS];
    return NULL;
}

bool desk_kill(struct desk *desk)
{
    struct errand *errand = errand_draw(desk);
    if (errand)
        errand_kill(desk, errand);
    return errand;
}

bool desk_stop(struct desk *desk, uint64_t until_ms)
{
    struct errand *errand = errand_draw(desk);
    if (!errand || errand->continue_ms)
        return false;
    victim_signal(errand->pid, SIGSTOP);
    errand->continue_ms = until_ms;
    return true;
}

void desk_continue(struct desk *desk, uint64_t now)
{
    for (unsigned i = 0; i < ERRANDS; i++) {
        struct errand *errand = &desk->errand[i];
        if (errand->pid && errand->continue_ms && errand->continue_ms <= now) {
            victim_signal(errand->pid, SIGCONT);
            errand->continue_ms = 0;
        }
    }
}

bool desk_busy(const struct desk *desk)
{
    bool busy = false;
    for (unsigned i = 0; i < ERRANDS; i++)
        busy |= desk->errand[i].pid != 0;
    return busy;
}

void desk_end(struct desk *desk)
{
    while (desk_kill(desk))
        continue;
}
