/* cbctl doctor: what is wrong with this installation, and how to mend it. Each check looks at one thing and says what it
 * found: that it is well, or what is wrong and what to do. */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cbclient.h>

struct finding {
    const char *check;
    bool wrong;
    char text[320];
    char remedy[256]; /* what to do; "" if it is well, or if the text says so */
};

struct doctor {
    char name[64];         /* the registry's */
    cb_registry *registry; /* NULL: it cannot be joined, */
    int error;             /* for this reason, */
    char why[320];         /* in a sentence */
    struct cb_usage usage; /* all 0 without a registry */
    bool answers;          /* the daemon does */
    char version[32];      /* the daemon's; "" if it does not answer */
    const char *check;     /* the one under way */
    struct finding *findings;
    size_t count, room;
};

/* What a check found. `remedy`: a sentence or command, "" if the text has it. */
__attribute__((format(printf, 2, 3))) void doctor_well(struct doctor *, const char *format, ...);
__attribute__((format(printf, 3, 4))) void doctor_ill(struct doctor *, const char *remedy, const char *format, ...);

/* doctor_memory.c: the folder, the registry's objects, those that others left behind, logind's hand on them. */
void check_folder(struct doctor *);
void check_registry(struct doctor *);
void check_others(struct doctor *);
void check_logind(struct doctor *);

/* doctor_daemon.c: is it there, does it fit, may this user speak to it? */
void check_daemon(struct doctor *);
void check_versions(struct doctor *);
void check_access(struct doctor *);

/* doctor_usage.c: room, what dead processes hold, what was damaged. */
void check_room(struct doctor *);
void check_owners(struct doctor *);
void check_damage(struct doctor *);

/* Who listens on a socket. */
enum listener { LISTENER_NONE, LISTENER_DENIED, LISTENER_THERE };
/* Whether somebody does on `path`; *pid: the registryd that does, 0 if that is not known. Does not wait. */
enum listener listener_find(const char *path, int *pid);

/* A process's name and state as /proc has them ('T': stopped, 'Z': dead); false: there is none, or it is not shown. */
bool process_look(int pid, char name[32], char *state);

/* What opens a socket or an object to this user. */
void access_remedy(const struct stat *, char out[256]);

/* "12.4 MiB". Returns `out`. */
#define SIZE_TEXT 32
const char *size_text(unsigned long long bytes, char out[SIZE_TEXT]);

#endif
