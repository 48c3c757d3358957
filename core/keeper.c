#include "core/keeper.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define SERVES             (1u << 31) /* above every pid */
#define LOOK_EVERY_MS      10
#define TOOL_PATIENCE_MS   5000
#define DAEMON_PATIENCE_MS 50 /* a keeper that has just come has not said yet what it is */

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* What a dead keeper left undone is for the header's mutex, the blocks' and the scribe to put right. */
static int try_take(struct segment *segment)
{
    pthread_mutex_t *mutex = &segment->panel_rw->keeper;
    int result = pthread_mutex_trylock(mutex);
    if (result == EOWNERDEAD)
        result = pthread_mutex_consistent(mutex);
    return -result;
}

int keeper_take(struct segment *segment, enum keeper kind)
{
    int result;
    for (int waited = 0; (result = try_take(segment)) == -EBUSY; waited += LOOK_EVERY_MS) {
        if (waited >= (keeper_serves(segment) ? DAEMON_PATIENCE_MS : TOOL_PATIENCE_MS))
            return result;
        pause_ms(LOOK_EVERY_MS);
    }
    if (result == 0)
        atomic_store(&segment->panel_rw->keeper_is, (uint32_t)getpid() | (kind == KEEPER_DAEMON ? SERVES : 0));
    return result;
}

void keeper_leave(struct segment *segment)
{
    if (segment->panel_rw == NULL || keeper_pid(segment) != (uint32_t)getpid())
        return;
    atomic_store(&segment->panel_rw->keeper_is, 0);
    pthread_mutex_unlock(&segment->panel_rw->keeper);
}

uint32_t keeper_pid(const struct segment *segment)
{
    return atomic_load(&segment->panel->keeper_is) & ~SERVES;
}

bool keeper_serves(const struct segment *segment)
{
    return atomic_load(&segment->panel->keeper_is) & SERVES;
}
