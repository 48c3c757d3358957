/* The daemon: started, stopped, continued, killed and started again. */
#ifndef CHAOS_KEEPER_H
#define CHAOS_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct keeper {
    const char *program;
    char registry[64], dir[108];
    pid_t pid;
    int notify; /* where it says that it is ready */
    bool ready;
    uint64_t started_ms;
    uint64_t continue_ms;  /* stopped until then; 0: it runs */
    uint64_t disturbed_ms; /* when it was last away or stopped */
};

/* A folder, a name, and a daemon that is ready within READY_MS. False: said on stderr why not. */
bool keeper_open(struct keeper *, const char *program);
/* End the daemon, remove its memory and the folder. False: it did not end well. */
bool keeper_close(struct keeper *);

void keeper_kill(struct keeper *); /* and start another one */
void keeper_stop(struct keeper *, uint64_t until_ms);
void keeper_continue(struct keeper *);

#define READY_MS 10000
/* Hear whether it is ready. NULL, or what is wrong: it ended by itself, or does not become ready in time. */
const char *keeper_listen(struct keeper *);

/* Has it answered all the time since `since_ms`? */
bool keeper_was_there(const struct keeper *, uint64_t since_ms);
/* Print the end of its log. */
void keeper_print_log(const struct keeper *);

#endif
