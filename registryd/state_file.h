/* The file that a registry's state is kept in: either the old one or the new one, whole, whenever somebody looks. */
#ifndef REGISTRYD_STATE_FILE_H
#define REGISTRYD_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define STATE_PATH_SIZE 256

struct state_file {
    char path[STATE_PATH_SIZE];
    const char *name; /* the part behind the last slash */
    int folder;       /* -1: not open */
};

/* Find its folder and see that we may write there and nobody else. `path` is absolute. False: why not has been said. */
bool state_file_open(struct state_file *, const char *path);
void state_file_close(struct state_file *);

/* All of it, with a NUL behind, for free(). -ENOENT: there is none. -EPERM: it is not ours, or no plain file, and must be
 * left alone. Any other error: it is there and cannot be read. */
int state_file_read(const struct state_file *, char **content, size_t *length);

/* Put `content` in its place, for us alone to read, and on the disk. Waits for the disk; from any thread. 0, or -errno:
 * what was there is still there. */
int state_file_write(const struct state_file *, const char *content, size_t length);

/* Give what is there a second name, which the next state_file_write() does not touch: NAME.kept-TIME, whose path comes
 * out. 0, or -errno. */
int state_file_keep(const struct state_file *, char kept[STATE_PATH_SIZE]);

#endif
