#include "ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

struct ledger *ledger_create(void)
{
    struct ledger *ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return ledger == MAP_FAILED ? NULL : ledger;
}

void ledger_destroy(struct ledger *ledger)
{
    if (ledger)
        munmap(ledger, sizeof *ledger);
}

/* Release is enough, and cheap: what a process has stored before it was killed is seen once it is buried. */
static void put(au32 *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

void account_begin(struct account *account, struct deed deed)
{
    put(&account->deed, (uint32_t)deed.kind << 16 | (uint32_t)deed.entry << 8 | deed.part);
}

void account_end(struct account *account)
{
    put(&account->deed, 0);
}

struct deed account_deed(const struct account *account)
{
    uint32_t word = atomic_load(&account->deed);
    return (struct deed){(enum deed_kind)(word >> 16), (enum entry)(word >> 8 & 0xff), word & 0xff};
}

void account_count(struct account *account, unsigned part, enum entry entry)
{
    au64 *count = &account->count[part][entry];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_release);
}

void account_complain(struct account *account, const char *format, ...)
{
    va_list list;
    if (atomic_load(&account->complained))
        return;
    va_start(list, format);
    vsnprintf(account->complaint, sizeof account->complaint, format, list);
    va_end(list);
    atomic_store(&account->complained, 1);
}

void ledger_enter(struct ledger *ledger, struct account *account, unsigned at, unsigned part)
{
    put(&account->held[at], part + 1);
    atomic_fetch_add(&ledger->inside[part], 1);
}

void ledger_leave(struct ledger *ledger, struct account *account, unsigned at)
{
    atomic_fetch_sub(&ledger->inside[atomic_load(&account->held[at]) - 1], 1);
    put(&account->held[at], 0);
}

bool ledger_settled(const struct ledger *ledger, uint32_t *deaths)
{
    uint32_t buried = atomic_load(&ledger->buried);
    *deaths = atomic_load(&ledger->deaths);
    return *deaths == buried;
}

void ledger_kill(struct ledger *ledger)
{
    atomic_fetch_add(&ledger->deaths, 1);
}

void ledger_bury(struct ledger *ledger, struct account *account)
{
    for (unsigned at = 0; at < HELD_MAX; at++)
        if (atomic_load(&account->held[at]))
            ledger_leave(ledger, account, at);
    atomic_fetch_add(&ledger->buried, 1);
}
