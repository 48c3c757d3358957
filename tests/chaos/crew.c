#include "crew.h"
#include "victim.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Half of them inherit what their master has attached to, as prefork servers' do; the others attach themselves. */
_Noreturn static void begin(const struct crew *crew, unsigned number)
{
    struct hand hand = *crew->master;
    hand.account = &crew->ledger->account[number];
    hand.dice = dice_seeded(crew->seed + crew->lives * 1000003);
    if (dice_percent(&hand.dice, 50) || hand_attach(&hand, crew->registry))
        hand_live(&hand);
    for (;;)
        pause();
}

void crew_start(struct crew *crew, unsigned number)
{
    pid_t parent = getpid();
    memset(&crew->ledger->account[number], 0, sizeof crew->ledger->account[number]);
    crew->lives++;
    pid_t pid = fork();
    crew->member[number] = (struct member){.pid = pid > 0 ? pid : 0};
    if (pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        begin(crew, number);
    _exit(0);
}

static void inherit(struct crew *crew, const struct account *account)
{
    struct deed deed = account_deed(account);
    if (atomic_load(&account->complained) && !*crew->complaint)
        memcpy(crew->complaint, account->complaint, sizeof crew->complaint);
    for (unsigned at = 0; at < HELD_MAX; at++)
        if (atomic_load(&account->held[at]))
            crew->estate[atomic_load(&account->held[at]) - 1].held++;
    crew->struck += deed.kind != DEED_NONE;
    if (deed.kind == DEED_ACQUIRE)
        crew->estate[deed.part].acquiring++;
    if (deed.kind == DEED_SETTLE)
        crew->estate[deed.part].settling[deed.entry]++;
    for (unsigned part = 0; part < CAST_SIZE; part++)
        for (unsigned entry = 0; entry < ENTRIES; entry++)
            crew->past[part][entry] += atomic_load(&account->count[part][entry]);
}

static void end(struct crew *crew, unsigned number)
{
    struct account *account = &crew->ledger->account[number];
    ledger_kill(crew->ledger);
    victim_kill(crew->member[number].pid);
    inherit(crew, account);
    ledger_bury(crew->ledger, account);
    crew->member[number].pid = 0;
}

void crew_kill(struct crew *crew, unsigned number)
{
    end(crew, number);
    crew_start(crew, number);
}

void crew_stop(struct crew *crew, unsigned number, uint64_t until_ms)
{
    atomic_fetch_add(&crew->ledger->account[number].stops, 1);
    victim_signal(crew->member[number].pid, SIGSTOP);
    crew->member[number].continue_ms = until_ms;
}

/* Counted on both sides: in whatever library call it was stopped, it finds the count changed when that returns. */
void crew_continue(struct crew *crew, unsigned number)
{
    atomic_fetch_add(&crew->ledger->account[number].stops, 1);
    victim_signal(crew->member[number].pid, SIGCONT);
    crew->member[number].continue_ms = 0;
}

int crew_lost(struct crew *crew, int *status)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        if (crew->member[i].pid && waitpid(crew->member[i].pid, status, WNOHANG) > 0) {
            crew->member[i].pid = 0;
            return (int)i;
        }
    }
    return -1;
}

void crew_end(struct crew *crew)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (crew->member[i].pid)
            end(crew, i);
}

bool crew_has(const struct crew *crew, pid_t pid)
{
    bool found = false;
    for (unsigned i = 0; i < WORKERS; i++)
        found |= crew->member[i].pid == pid;
    return found;
}

uint64_t crew_sum(const struct crew *crew, unsigned part, enum entry entry)
{
    uint64_t sum = crew->past[part][entry];
    for (unsigned i = 0; i < ACCOUNTS; i++)
        sum += atomic_load(&crew->ledger->account[i].count[part][entry]);
    return sum;
}
