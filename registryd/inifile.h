/* An INI file, read through libinih, with what libinih does not tell: where each thing stands, sections without keys,
 * section names in full (it cuts them at 49 bytes), and every error instead of the first. */
#ifndef REGISTRYD_INIFILE_H
#define REGISTRYD_INIFILE_H

/* Called in the file's order. Strings are valid during the call. */
struct inifile_visitor {
    void (*section)(void *user, int line, const char *name);
    void (*entry)(void *user, int line, const char *key, const char *value);
    void (*broken)(void *user, int line, const char *what);
    void *user;
};

/* 0 once it was read to its end, whatever stood in it; -errno if it cannot be read. */
int inifile_read(const char *path, const struct inifile_visitor *);

#endif
