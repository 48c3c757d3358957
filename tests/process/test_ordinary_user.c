/* A developer's registry: daemon and cbctl as an ordinary user, where nobody said where anything lies. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/harness.h"

#define NOBODY "65534"

/* $1 registryd, $2 cbctl, $3 the folder that is expected. Leaves nothing, whatever fails. */
static const char session[] =
    "set -eu\n"
    "test -x \"$1\" && test -x \"$2\" || exit 77\n"
    "exec 3< <(exec \"$1\" --registry \"$CB_REGISTRY\" 2>&1)\n"
    "daemon=$!\n"
    "trap 'kill $daemon; cat <&3; \"$1\" --registry \"$CB_REGISTRY\" --purge; rmdir \"$3\"' EXIT\n"
    "while read -r line <&3; do echo \"$line\"; [[ $line == *ready:* ]] && break; done\n"
    "[[ $(stat -c %a:%u \"$3\") == 700:$(id -u) ]] && test -S \"$3/$CB_REGISTRY.sock\"\n"
    "! \"$1\" --registry \"$CB_REGISTRY\"\n" /* says who runs already */
    "\"$2\" create payments failure_threshold=1\n"
    "! \"$2\" run payments -- false\n"
    "\"$2\" run payments -- true && exit 1 || test $? = 75\n"
    "\"$2\" reset payments --reason test && \"$2\" run payments -- true\n"
    "\"$2\" list\n";

static void run_session(struct output *output, const char *folder)
{
    if (geteuid() == 0)
        run(output, "setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "bash", "-c", session, "bash",
            REGISTRYD_PATH, CBCTL_PATH, folder, (char *)NULL);
    else
        run(output, "bash", "-c", session, "bash", REGISTRYD_PATH, CBCTL_PATH, folder, (char *)NULL);
    if (output->status == 77)
        cr_skip_test("the programs are in a folder that " NOBODY " cannot enter");
}

static void expect_session(const char *folder)
{
    char name[64];
    struct output output;
    snprintf(name, sizeof name, "test-%d-user", (int)getpid());
    setenv("CB_REGISTRY", name, 1);
    run_session(&output, folder);
    cr_expect_eq(output.status, 0, "%d\n%s\n%s", output.status, output.out, output.err);
    cr_expect(strstr(output.out, "payments closed"), "%s", output.out);
    cr_expect(strstr(output.err, "runs already: pid"), "%s", output.err);
    cr_expect(!registry_exists(name));
    cr_expect(access(folder, F_OK) != 0, "%s is left", folder);
    output_free(&output);
}

Test(ordinary_user, has_it_in_the_folder_of_the_session)
{
    char session_folder[] = "/tmp/registryd-test-XXXXXX", folder[64];
    cr_assert(mkdtemp(session_folder));
    if (geteuid() == 0)
        cr_assert(chown(session_folder, (uid_t)atoi(NOBODY), (gid_t)-1) == 0);
    setenv("XDG_RUNTIME_DIR", session_folder, 1);
    snprintf(folder, sizeof folder, "%s/registryd", session_folder);
    expect_session(folder);
    cr_expect(rmdir(session_folder) == 0);
}

Test(ordinary_user, without_a_session_has_it_in_a_private_folder)
{
    char folder[64];
    unsetenv("XDG_RUNTIME_DIR");
    snprintf(folder, sizeof folder, "/tmp/registryd-%s", NOBODY);
    if (geteuid() != 0)
        snprintf(folder, sizeof folder, "/tmp/registryd-%u", (unsigned)geteuid());
    if (access(folder, F_OK) == 0)
        cr_skip_test("somebody uses %s", folder);
    expect_session(folder);
}
