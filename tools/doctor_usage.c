/* What a registry holds: how full it is, who has died in it, what was damaged. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "doctor.h"

#define NEARLY 90 /* percent */

/* ---- room ---- */

static bool nearly_full(uint64_t used, uint64_t room)
{
    return used * 100 >= room * NEARLY;
}

void check_room(struct doctor *doctor)
{
    const struct cb_usage *usage = &doctor->usage;
    const struct {
        const char *what, *remedy;
        uint64_t used, room;
    } kinds[] = {
        {"breakers", "raise capacity in registryd.conf (that replaces the memory), or remove those that nobody uses",
         usage->breakers, usage->breaker_room},
        {"processes", "later ones are not noticed when they die; use fewer, or another registry for some",
         usage->workers, usage->worker_room},
        {"places for calls in flight", "calls beyond them are not noticed when their process dies; see cbctl calls",
         usage->calls, usage->call_room},
        {"places under max_concurrent", "lower max_concurrent where it is higher than needed, or raise capacity",
         usage->places, usage->place_room},
    };
    size_t before = doctor->count;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (nearly_full(kinds[i].used, kinds[i].room))
            doctor_ill(doctor, kinds[i].remedy, "%" PRIu64 " of %" PRIu64 " %s are taken", kinds[i].used, kinds[i].room,
                       kinds[i].what);
    if (usage->untracked)
        doctor_ill(doctor, "see cbctl workers and cbctl calls for who has so many",
                   "%" PRIu64 " calls of attached processes found no room among those in flight", usage->untracked);
    if (doctor->count == before)
        doctor_well(doctor, "%" PRIu64 " of %" PRIu64 " breakers, %" PRIu64 " of %" PRIu64 " processes",
                    usage->breakers, usage->breaker_room, usage->workers, usage->worker_room);
}

/* ---- the dead ---- */

struct dead {
    uint64_t processes, calls;
};

/* It has ended, also if another process has its number now. One that /proc does not show to this user may be there. */
static bool process_gone(const struct cb_worker *worker)
{
    char name[32], state;
    if (process_look((int)worker->pid, name, &state))
        return !*worker->command || state == 'Z' || state == 'X';
    return kill((pid_t)worker->pid, 0) && errno == ESRCH;
}

static int worker_look(const struct cb_worker *worker, void *arg)
{
    struct dead *dead = arg;
    if (!process_gone(worker))
        return 0;
    dead->processes++;
    dead->calls += worker->in_flight;
    return 0;
}

/* While the daemon answers, it sees to them within milliseconds. */
void check_owners(struct doctor *doctor)
{
    struct dead dead = {0, 0};
    if (!doctor->answers)
        cb_list_workers(doctor->registry, worker_look, &dead);
    if (dead.processes)
        doctor_ill(doctor, "registryd settles them as soon as it runs",
                   "processes that are gone: %" PRIu64 ", their calls that still count as in flight: %" PRIu64,
                   dead.processes, dead.calls);
    else
        doctor_well(doctor, "no dead process has anything");
}

/* ---- damage ---- */

void check_damage(struct doctor *doctor)
{
    uint64_t count = cb_damage_count(doctor->registry);
    if (count)
        doctor_ill(doctor,
                   "some program of the members writes where it should not: see `damage repaired` in cbctl "
                   "history, and run the suspects under AddressSanitizer",
                   "damage in the memory was found and repaired %" PRIu64 " times", count);
    else
        doctor_well(doctor, "no damage was found in the memory");
}
