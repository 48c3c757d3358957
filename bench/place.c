#include <sched.h>
#include <sys/mman.h>

#include "bench.h"

/* What this process was given when it began. */
static const cpu_set_t *given(void)
{
    static cpu_set_t set;
    if (CPU_COUNT(&set) == 0)
        sched_getaffinity(0, sizeof set, &set);
    return &set;
}

unsigned place_count(void)
{
    return (unsigned)CPU_COUNT(given());
}

void place_other_at(pid_t process, unsigned n)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, given()) && n-- == 0) {
            CPU_SET(cpu, &one);
            sched_setaffinity(process, sizeof one, &one);
            return;
        }
    }
}

void place_at(unsigned n)
{
    place_other_at(0, n);
}

void place_other_anywhere(pid_t process)
{
    sched_setaffinity(process, sizeof(cpu_set_t), given());
}

void place_anywhere(void)
{
    place_other_anywhere(0);
}

void *place_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}
