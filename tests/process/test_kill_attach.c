/*
 * A process that is stopped, or killed, where it enters or leaves any system call of attaching, creating a breaker and
 * its first call: the daemon and others go on, and nothing of it is left. In between, all that it does to others is in
 * the memory: test_kill_each_attach goes through that by instructions.
 */
#include <criterion/criterion.h>

#include "tests/process/guest.h"
#include "tests/process/step.h"

TestSuite(kill_attach, .init = house_open, .fini = house_close);

/* Stands at each of its calls while the daemon answers others; how many there are. */
static unsigned calls_of_attaching(void)
{
    struct stepper guest;
    unsigned calls = 0;
    stepper_start(&guest, NULL, guest_acts);
    while (stepper_to_system_call(&guest))
        house_answers(++calls);
    stepper_kill(&guest);
    return calls;
}

Test(kill_attach, at_every_system_call)
{
    unsigned calls = calls_of_attaching();
    cr_log_info("%u times in or out of a system call", calls);
    for (unsigned call = 0; call <= calls; call++) {
        struct stepper guest;
        stepper_start(&guest, NULL, guest_acts);
        for (unsigned i = 0; i < call; i++)
            stepper_to_system_call(&guest);
        stepper_kill(&guest);
        guest_leaves_nothing(guest.pid, call);
    }
}
