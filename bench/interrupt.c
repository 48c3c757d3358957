#include "interrupt.h"

volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    interrupted = signal;
}

void interrupt_catch(void)
{
    struct sigaction catch = {.sa_handler = interrupt};
    sigaction(SIGINT, &catch, NULL);
    sigaction(SIGTERM, &catch, NULL);
    sigaction(SIGHUP, &catch, NULL);
    signal(SIGPIPE, SIG_IGN);
}
