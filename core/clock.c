#include "core/clock.h"

#include <dlfcn.h>

clock_reader *clock_reader_direct = clock_gettime;

/* The kernel maps it into every process, for good. Where it is not found, or takes times of another width than libc's,
 * libc's way stays. As the library is loaded, so that a call never has to look. */
static __attribute__((constructor)) void clock_reader_find(void)
{
    void *vdso = sizeof(long) == sizeof(time_t) ? dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD) : NULL;
    void *found = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
    if (vdso && !found)
        found = dlsym(vdso, "__kernel_clock_gettime"); /* so called on 64-bit ARM */
    if (found)
        *(void **)&clock_reader_direct = found;
    else
        dlerror(); /* the program may ask for it: that of its own loading of us */
}
