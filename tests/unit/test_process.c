/* What the kernel says about a process. */
#include <criterion/criterion.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/lane.h"
#include "core/process.h"

Test(process, a_name_may_hold_what_ends_it_elsewhere)
{
    char command[COMMAND_SIZE];
    prctl(PR_SET_NAME, "a) S 1 (b");
    cr_assert_eq(process_start((uint32_t)getpid(), command), process_identity() >> WORKER_PID_BITS);
    cr_assert_str_eq(command, "a) S 1 (b");
    process_command(process_identity(), command);
    cr_assert_str_eq(command, "a) S 1 (b");
}

Test(process, a_name_drives_no_terminal)
{
    char command[COMMAND_SIZE];
    prctl(PR_SET_NAME, "a\nb\x1b[m\xff\xc3\xa9\xc3");
    process_start((uint32_t)getpid(), command);
    cr_assert_str_eq(command, "a?b?[m?\xc3\xa9?");
}

Test(process, one_that_has_ended_has_no_name)
{
    char command[COMMAND_SIZE] = "before";
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    cr_assert_eq(process_start((uint32_t)child, command), 0);
    cr_assert_str_eq(command, "");
}

Test(process, another_process_of_the_same_number_is_not_it)
{
    char command[COMMAND_SIZE] = "before";
    process_command(process_identity() + (UINT64_C(1) << WORKER_PID_BITS), command);
    cr_assert_str_eq(command, "");
}
